#pragma once

#include "core/programs/server.hpp"

/// The original echo server, in our notation and with its defects: the specimen that the verifier refutes. Whatever
/// fails ends the process that meets it, as the exception did that nobody caught.

namespace antiphon::seed {

/// Goes on with a success; a failure ends the process.
template <class K>
auto or_die(K next) {
  return [next]<class T>(const Result<T>& response) -> Server {
    if (!response) return ret(Result<Unit>(failed(response.error())));
    return next(*response);
  };
}

/// Accepts and forks for ever; the parent closes its side of the client, the child runs the handler and ends.
template <class Handler>
Server tcp_srv(const Handler& handler) {
  return OpenSocket{{"127.0.0.1", 8888}} >> or_die([=](const Socket& srv) -> Server {
           return Listen{srv, 1} >> or_die([=](const Endpoint&) -> Server {
                    using Turn = Step<Unit, Result<Unit>>;
                    using Turns = Program<Net, Turn>;
                    const auto dies = [](Errno error) -> Turns {
                      return ret(Turn{Break{Result<Unit>(failed(error))}});
                    };
                    return iter(Unit{}, [=](const Unit&) {
                      return Accept{srv} >> [=](const Result<Socket>& client) -> Turns {
                        if (!client) return dies(client.error());
                        return Fork{} >> [=, client = *client](const Result<Forked>& res) -> Turns {
                          if (!res) return dies(res.error());
                          if (std::holds_alternative<Parent>(*res)) {
                            return Close{client} >> [=](const Result<Unit>& closed) -> Turns {
                              return closed ? Turns(ret(Turn{Continue{Unit{}}})) : dies(closed.error());
                            };
                          }
                          return handler(client) >> [](const Result<Unit>& over) { return ret(Turn{Break{over}}); };
                        };
                      };
                    });
                  });
         });
}

/// One message back, as much of it as one Recv and one Send carry. How much was sent is not asked.
inline Server echo_handler(Socket sock) {
  return Recv{sock, 1024, {}} >> or_die([=](const Bytes& msg) -> Server {
           return Send{sock, msg, {}} >> or_die([=](const std::size_t&) -> Server {
                    return Close{sock} >> or_die([](const Unit&) -> Server { return ret(Result<Unit>()); });
                  });
         });
}

inline Server echo_server() {
  return tcp_srv([](Socket client) { return echo_handler(client); });
}

}  // namespace antiphon::seed
