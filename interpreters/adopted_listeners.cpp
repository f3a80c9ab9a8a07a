#include "interpreters/adopted_listeners.hpp"

#include <algorithm>
#include <utility>

namespace antiphon {

std::optional<std::string> AdoptedListeners::add(kernel::Descriptor descriptor) {
  const auto bound = kernel::listening_at(descriptor.number());
  if (!bound) return bound.error();
  const std::uint64_t cookie = kernel::cookie_of(descriptor.number());
  if (std::ranges::find(listeners_, cookie, &Listener::cookie) == listeners_.end()) {
    listeners_.push_back({std::move(descriptor), *bound, cookie, 0});
  }
  return std::nullopt;
}

std::vector<Endpoint> AdoptedListeners::addresses() const {
  std::vector<Endpoint> found;
  for (const Listener& one : listeners_) {
    if (std::ranges::find(found, one.at) == found.end()) found.push_back(one.at);
  }
  return found;
}

std::size_t AdoptedListeners::count_at(const Endpoint& at) const {
  return static_cast<std::size_t>(std::ranges::count(listeners_, at, &Listener::at));
}

void AdoptedListeners::let_go() {
  for (Listener& one : listeners_) one.descriptor = kernel::Descriptor(-1);
}

std::optional<Result<kernel::Descriptor>> AdoptedListeners::take(const Endpoint& at, bool blocks) {
  const std::lock_guard lock(mutex_);
  Listener* least = nullptr;
  for (Listener& one : listeners_) {
    if (one.at == at && (least == nullptr || one.takers < least->takers)) least = &one;
  }
  if (least == nullptr) return std::nullopt;
  if (!least->descriptor.valid()) return failed(Errno::BADF);
  auto taken = kernel::share_listener(least->descriptor.number(), blocks);
  if (taken) ++least->takers;
  return taken;
}

}  // namespace antiphon
