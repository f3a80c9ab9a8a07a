// A library that makes memory scarce for echo-server: loaded into it (LD_PRELOAD), it fails one allocation of C++ in as
// many as the variable SCARCE_EVERY says, in the process that has told where it listens, from then on. How many have
// failed is written to standard error when that process ends: "scarce: 12 failed".

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

std::atomic<unsigned long> every = 0;  // 0: none fails yet
std::atomic<unsigned long> allocations = 0;
std::atomic<unsigned long> failures = 0;

void tell_failures() {
  std::array<char, 64> line{};
  const int size = std::snprintf(line.data(), line.size(), "scarce: %lu failed\n", failures.load());
  static_cast<void>(!write(STDERR_FILENO, line.data(), static_cast<std::size_t>(size)));
}

void* allocate(std::size_t size) {
  const unsigned long one_in = every.load(std::memory_order_relaxed);
  if (one_in != 0 && allocations.fetch_add(1) % one_in == one_in - 1) {
    failures.fetch_add(1);
    throw std::bad_alloc();
  }
  if (void* const block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

/// The line that tells where the server listens goes out by this.
extern "C" int fputs(const char* text, FILE* stream) {  // NOLINT(readability-inconsistent-declaration-parameter-name)
  const auto real = reinterpret_cast<int (*)(const char*, FILE*)>(dlsym(RTLD_NEXT, "fputs"));
  const int outcome = real(text, stream);
  const char* const wanted = std::getenv("SCARCE_EVERY");
  if (stream == stdout && wanted != nullptr && every == 0) {
    std::atexit(&tell_failures);
    every = std::strtoul(wanted, nullptr, 10);
  }
  return outcome;
}
