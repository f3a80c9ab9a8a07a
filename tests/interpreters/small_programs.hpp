#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "core/programs/server.hpp"

/// Words for small servers: each goes on whatever the answer is.

namespace antiphon::small {

using Next = std::function<Server()>;

inline Server over() { return ret(Result<Unit>()); }

/// Issues one after the other, then goes on.
template <Instruction I>
Server then(const I& instruction, const Next& next) {
  return instruction >> [=](const typename I::Response&) { return next(); };
}

/// An instruction that stands before what follows.
using Link = std::function<Server(const Next&)>;

template <Instruction I>
Link link(const I& instruction) {
  return [=](const Next& next) { return then(instruction, next); };
}

/// One after the other.
inline Server chain(const std::vector<Link>& links, std::size_t from = 0) {
  return from == links.size() ? over() : links[from]([=] { return chain(links, from + 1); });
}

/// Issues one after the other.
template <Instruction... Is>
Server all(const Is&... instructions) {
  return chain({link(instructions)...});
}

/// The parent does the one, the child the other.
inline Server fork_into(const Next& parent, const Next& child, const Fork& fork = {}) {
  return fork >> [=](const Result<Forked>& forked) {
    return forked && std::holds_alternative<Child>(*forked) ? child() : parent();
  };
}

inline Bytes bytes(std::size_t count) { return Bytes::copy_of(std::string(count, 'z')); }

}  // namespace antiphon::small
