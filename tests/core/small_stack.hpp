#pragma once

#include <pthread.h>

#include <cstddef>
#include <stdexcept>
#include <type_traits>

namespace antiphon {

inline constexpr std::size_t small_stack_bytes = std::size_t{256} * 1024;

/// Runs a function on a thread with a small C++ stack, where a recursion a thousand deep may pass and one a million
/// deep cannot. The thread's pool is empty at first and freed at the end.
template <class Function>
void on_small_stack(Function&& function) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, small_stack_bytes);
  const auto call = [](void* what) -> void* {
    (*static_cast<std::remove_reference_t<Function>*>(what))();
    return nullptr;
  };
  const int failure = pthread_create(&thread, &attributes, call, &function);
  pthread_attr_destroy(&attributes);
  if (failure != 0) throw std::runtime_error("no thread with a small stack");
  pthread_join(thread, nullptr);
}

}  // namespace antiphon
