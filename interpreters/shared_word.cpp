#include "interpreters/shared_word.hpp"

#include <sys/mman.h>

#include <new>

namespace antiphon {

namespace {
constexpr std::size_t size = sizeof(std::atomic<std::uint64_t>);
}

SharedWord::SharedWord() {
  void* const page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  word_ = new (page) std::atomic<std::uint64_t>(0);
}

SharedWord::~SharedWord() { munmap(word_, size); }

}  // namespace antiphon
