#include "verify/crew.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "verify/discoveries.hpp"
#include "verify/fingerprints.hpp"
#include "verify/independence.hpp"
#include "verify/position.hpp"

namespace antiphon::verify {

namespace {

/// The states that were seen, for all threads.
class SharedFingerprints {
 public:
  Fingerprints::Place insert(const Fingerprint& fingerprint) {
    Shelf& shelf = shelf_of(fingerprint);
    const std::scoped_lock lock(shelf.mutex);
    const std::size_t before = shelf.seen.bytes();
    const Fingerprints::Place place = shelf.seen.insert(fingerprint, [&] { return size_.fetch_add(1); });
    if (shelf.seen.bytes() != before) bytes_ += shelf.seen.bytes() - before;
    return place;
  }
  void finish(const Fingerprint& fingerprint) {
    Shelf& shelf = shelf_of(fingerprint);
    const std::scoped_lock lock(shelf.mutex);
    shelf.seen.finish(fingerprint);
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct alignas(64) Shelf {
    std::mutex mutex;
    Fingerprints seen{16};
  };
  Shelf& shelf_of(const Fingerprint& fingerprint) { return shelves_[fingerprint.high % shelves_.size()]; }

  std::array<Shelf, 256> shelves_;
  std::atomic<std::uint32_t> size_ = 0;
  std::atomic<std::uint64_t> bytes_ = shelves_.size() * Fingerprints(16).bytes();
};

/// The way to a state that somebody was the first to see, and has not entered.
using Job = std::vector<Taken>;

/// What there is to do, for all threads.
class Jobs {
 public:
  explicit Jobs(std::uint32_t threads) : threads_(threads) {}

  void give(Job job) {
    {
      const std::scoped_lock lock(mutex_);
      jobs_.push_back(std::move(job));
      ++waiting_;
    }
    changed_.notify_one();
  }
  /// Waits for one; none: there will be no more.
  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    if (++idle_ == threads_ && jobs_.empty()) over_ = true;
    if (over_) changed_.notify_all();
    changed_.wait(lock, [&] { return over_ || !jobs_.empty(); });
    if (over_) return std::nullopt;
    --idle_;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    --waiting_;
    return job;
  }
  /// Nobody goes on.
  void stop() {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool are_over() const { return over_; }
  [[nodiscard]] bool are_wanted() const { return idle_ > waiting_; }
  [[nodiscard]] std::size_t left() const { return jobs_.size(); }

 private:
  std::uint32_t threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::atomic<std::uint32_t> idle_ = 0;
  std::atomic<std::uint32_t> waiting_ = 0;
  std::atomic<bool> over_ = false;
};

struct Common {
  Common(std::uint32_t threads, std::uint64_t the_most_memory) : jobs(threads), most_memory(the_most_memory) {}

  SharedFingerprints seen;
  Jobs jobs;
  std::uint64_t most_memory;
  std::atomic<bool> full = false;
  std::atomic<std::uint64_t> held = 0;  ///< Bytes for what is still to be done.
};

class Worker {
 public:
  Worker(const Scope& scope, const ExploreOptions& options, Common& common)
      : common_(common),
        owned_space_(space_of(options.fresh(), scope, options)),
        space_(*owned_space_),
        position_(space_),
        independence_(space_, scope, options.reductions),
        discoveries_(options.most_findings) {}

  /// One of them begins, and tells how far all are.
  void begin(std::function<void(const std::string&)> progress) {
    progress_ = std::move(progress);
    discoveries_.add(space_.breaches_at_first(), false, {});
    common_.seen.insert(space_.first().fingerprint);
    common_.jobs.give({});
  }

  void work() {
    while (auto job = common_.jobs.take()) {
      go_to(*job);
      if (!space_.overflowed()) {
        enter();
        search();
      }
      frontier_ += way_.size();
      if (is_over()) return common_.jobs.stop();
    }
  }

  /// What it has seen and found; closed if the scope was not too large for it.
  Exploration result() {
    Exploration own;
    own.transitions = transitions_;
    own.rests = rests_;
    own.deepest = deepest_;
    own.frontier = frontier_;
    own.steps_run = space_.steps_run();
    own.discoveries = discoveries_.take();
    own.closed = !space_.overflowed();
    add_remarks_on(space_, own.remarks);
    return own;
  }
  [[nodiscard]] const std::string& mistake() const { return independence_.mistake(); }

 private:
  struct Frame {
    Fingerprint state;
    std::size_t first;  ///< Of its outcomes.
    std::size_t next;
    std::size_t needed;
    std::size_t end;
    bool leads_on;  ///< To a state that is finished.
  };
  static constexpr std::uint64_t look_up_every = 256;
  static constexpr std::uint64_t tell_every = std::uint64_t{1} << 16U;

  [[nodiscard]] bool is_over() const {
    return common_.full || space_.overflowed() || discoveries_.full() || !independence_.mistake().empty();
  }

  /// To the end of a way that another has found.
  void go_to(const std::vector<Taken>& path) {
    position_.move_to(space_.first());
    base_ = path;
    for (const Taken& taken : path) {
      independence_.note_acceptors(position_);
      const Outcome* const outcome = outcome_of(taken);
      if (space_.overflowed()) return;
      if (outcome == nullptr) throw std::logic_error("the threads of a search have different programs");
      position_.take(*outcome);
    }
  }

  [[nodiscard]] const Outcome* outcome_of(const Taken& taken) const {
    for (std::size_t actor = 0; actor < position_.actor_count(); ++actor) {
      const Prospect* const prospect = position_.prospect(actor);
      if (prospect == nullptr) continue;
      for (const auto* const outcomes : {&prospect->outcomes, &prospect->ways_out}) {
        for (const Outcome& outcome : *outcomes) {
          if (outcome.move == taken.move && outcome.shortfalls == taken.shortfalls) return &outcome;
        }
      }
    }
    return nullptr;
  }

  void search() {
    while (!way_.empty() && !common_.jobs.are_over() && !space_.overflowed()) {
      if (++steps_ % look_up_every == 0 && look_up()) return;
      Frame& top = way_.back();
      if (top.next < top.needed) {
        follow();
      } else if (!top.leads_on && top.next < top.end) {
        top.needed = top.end;
      } else {
        leave();
      }
    }
  }

  /// Now and then: true if this is the end.
  bool look_up() {
    const std::size_t held =
        way_.size() * sizeof(Frame) + outcomes_.size() * sizeof(const Outcome*) + position_.bytes() + space_.bytes();
    common_.held += held - std::exchange(held_, held);  // (it may fall: the sum comes right all the same)
    if (common_.seen.bytes() + common_.held > common_.most_memory) common_.full = true;
    if (common_.jobs.are_wanted()) hand_over();
    if (progress_ && steps_ % tell_every == 0) progress_(std::to_string(common_.seen.size()) + " states");
    return is_over();
  }

  void enter() {
    const std::size_t first = outcomes_.size();
    const Independence::Choice choice = independence_.choose(position_, outcomes_);
    way_.push_back({position_.state().fingerprint, first, first, first + choice.needed, outcomes_.size(), false});
    deepest_ = std::max<std::uint64_t>(deepest_, base_.size() + way_.size() - 1);
    if (!choice.at_rest || space_.overflowed()) return;
    ++rests_;
    const auto breaches = space_.breaches_at_rest(position_.state());
    if (discoveries_.has_new(breaches)) discoveries_.add(breaches, true, way_to(way_.size() - 1));
  }

  /// The next outcome of the frame, and what is known of the state that it leads to.
  Fingerprints::Place see_next(std::size_t at) {
    Frame& frame = way_[at];
    const Outcome& outcome = *outcomes_[frame.next++];
    ++transitions_;
    if (discoveries_.has_new(outcome.breaches)) {
      std::vector<Taken> path = way_to(at);
      path.push_back(taken_of(outcome));
      discoveries_.add(outcome.breaches, false, path);
    }
    const Fingerprints::Place place = common_.seen.insert(frame.state + outcome.difference);
    frame.leads_on |= place.is_finished;
    return place;
  }

  void follow() {
    const std::size_t top = way_.size() - 1;
    const Fingerprints::Place place = see_next(top);
    if (!place.is_new) return;
    position_.take(*outcomes_[way_[top].next - 1]);
    enter();
  }

  void leave() {
    common_.seen.finish(way_.back().state);
    outcomes_.resize(way_.back().first);
    way_.pop_back();
    if (way_.empty()) return;
    position_.back();
    way_.back().leads_on = true;
  }

  /// Gives away what was put off for longest: most is likely to follow from it.
  void hand_over() {
    for (std::size_t at = 0; at + 1 < way_.size(); ++at) {
      Frame& frame = way_[at];
      while (frame.next < frame.needed) {
        const Outcome& given = *outcomes_[frame.next];
        const Fingerprints::Place place = see_next(at);
        // What leads on from the frame stays the one before `next`.
        std::swap(outcomes_[frame.next - 1], outcomes_[frame.next - 2]);
        if (!place.is_new) continue;
        std::vector<Taken> path = way_to(at);
        path.push_back(taken_of(given));
        return common_.jobs.give(std::move(path));
      }
    }
  }

  /// The steps to a frame.
  [[nodiscard]] std::vector<Taken> way_to(std::size_t at) const {
    std::vector<Taken> path = base_;
    for (std::size_t index = 0; index < at; ++index) path.push_back(taken_of(*outcomes_[way_[index].next - 1]));
    return path;
  }

  Common& common_;
  std::function<void(const std::string&)> progress_;
  const std::unique_ptr<StateSpace> owned_space_;
  StateSpace& space_;
  Position position_;
  Independence independence_;
  Discoveries discoveries_;
  std::vector<Taken> base_;  ///< From the beginning to the first frame.
  std::vector<Frame> way_;
  std::vector<const Outcome*> outcomes_;  ///< Of all frames.
  std::uint64_t steps_ = 0;
  std::size_t held_ = 0;
  std::uint64_t transitions_ = 0;
  std::uint64_t rests_ = 0;
  std::uint64_t deepest_ = 0;
  std::uint64_t frontier_ = 0;
};

/// What a thread leaves behind: everything of the program stays in the thread that made it.
struct Share {
  Exploration result;
  std::string mistake;
  std::exception_ptr failure;
};

void take_part(const Scope& scope, const ExploreOptions& options, bool is_first, Common& common, Share& share) {
  try {
    Worker worker(scope, options, common);
    if (is_first) worker.begin(options.progress);
    worker.work();
    share.result = worker.result();
    share.mistake = worker.mistake();
  } catch (...) {
    share.failure = std::current_exception();
    common.jobs.stop();
  }
}

void search_together(const Scope& scope, const ExploreOptions& options, Common& common, std::vector<Share>& shares) {
  std::vector<std::jthread> threads;
  threads.reserve(shares.size());
  try {
    for (std::size_t index = 0; index < shares.size(); ++index) {
      threads.emplace_back([&, index] { take_part(scope, options, index == 0, common, shares[index]); });
    }
  } catch (...) {
    common.jobs.stop();  // lest those that were made wait for the others
    throw;
  }
}

void add_share(Exploration& all, Discoveries& discoveries, Share& share) {
  all.transitions += share.result.transitions;
  all.rests += share.result.rests;
  all.deepest = std::max(all.deepest, share.result.deepest);
  all.frontier += share.result.frontier;
  all.steps_run += share.result.steps_run;
  for (const Discovery& one : share.result.discoveries) discoveries.add({one.breach}, one.at_rest, one.path);
  for (std::string& remark : share.result.remarks) add_remark(all.remarks, std::move(remark));
}

}  // namespace

Exploration explore_in_threads(const Scope& scope, const ExploreOptions& options) {
  Common common(options.threads, options.most_memory);
  std::vector<Share> shares(options.threads);
  search_together(scope, options, common, shares);
  Exploration all;
  Discoveries discoveries(options.most_findings);
  std::string mistake;
  bool was_cut = false;
  for (Share& share : shares) {
    if (share.failure) std::rethrow_exception(share.failure);
    was_cut |= !share.result.closed;
    add_share(all, discoveries, share);
    if (mistake.empty()) mistake = share.mistake;
  }
  if (!mistake.empty()) {
    ExploreOptions plain = options;
    plain.reductions.partial_order = false;
    all = explore_in_threads(scope, plain);
    all.notes.push_back("without partial-order reduction: " + mistake);
    return all;
  }
  all.frontier += common.jobs.left();
  all.states = common.seen.size();
  all.bytes = common.seen.bytes() + common.held;
  conclude(all, discoveries, common.full, was_cut);
  return all;
}

}  // namespace antiphon::verify
