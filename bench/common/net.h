// Sockets of loopback and LAN: addresses, listening, connecting, all non-blocking.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace inkmesh::bench {

/// "127.0.0.1:8081" or "ws://127.0.0.1:8081". Throws std::runtime_error when it is not such an address.
sockaddr_in parse_address(std::string_view text);

/// A listening socket. Throws std::runtime_error.
int listen_at(const sockaddr_in& address);

/// A socket that is connecting or connected; -1 when that fails at once. `receive_buffer`: 0 leaves it to the system.
/// `source`: the nth of loopback's addresses is what it comes from, as one has ports for some 28,000 connections; 0
/// leaves that to the system, and so does any for an address that is not loopback's.
int connect_to(const sockaddr_in& address, int receive_buffer = 0, std::uint32_t source = 0);

/// The next connection of a listening socket, ready for use; -1 when there is none.
int accept_from(int listener);

/// What became of a connect: 0, or errno.
int socket_error(int fd);

/// Lets this process have as many descriptors as it may; how many that is.
std::uint64_t raise_descriptor_limit();

}  // namespace inkmesh::bench
