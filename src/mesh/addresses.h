// Addresses of cluster.yaml as ZeroMQ endpoints.
#pragma once

#include <string>
#include <vector>

#include "inkmesh/config.h"

namespace inkmesh::mesh {

/// `tcp://host:port`, an IPv6 host in brackets.
std::string endpoint_of(const Address& address);

/// The endpoints to bind for an address. ZeroMQ binds numeric hosts only, so a name gives one for each address that it
/// has. Throws std::runtime_error when the name is unknown.
std::vector<std::string> bind_endpoints(const Address& address);

/// Whether a connection to this address should look for IPv6. ZeroMQ takes the first address that it finds and never
/// another: a name that has an IPv4 address is looked up as IPv4, because whoever listens on a name binds all of them.
bool connects_by_ipv6(const Address& address);

}  // namespace inkmesh::mesh
