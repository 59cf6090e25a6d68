// The process that a node is: its descriptors, its memory, its time.
#pragma once

#include <cstdint>
#include <optional>

#include "inkmesh/config.h"

namespace inkmesh::node {

struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;  ///< user and system
  std::uint64_t descriptors = 0;
  std::uint64_t descriptors_max = 0;
  double start_time_s = 0;  ///< since 1970
};

ProcessUsage process_usage();

/// Raises the soft limit of descriptors to the hard one; gives it.
std::uint64_t raise_descriptor_limit();

/// How many descriptors the limits take, with everything else that a node of so many keeps open.
std::uint64_t descriptors_needed(const LimitSettings& limits, std::size_t nodes);

/// The limits that a number of descriptors leaves room for, once everything else has its own: what the store, the mesh
/// to `nodes` nodes and the threads keep open. Nothing when too few are left to run at all.
std::optional<LimitSettings> limits_within(std::uint64_t descriptors_max, const LimitSettings& wanted,
                                           std::size_t nodes);

/// Bits from the kernel's generator. Throws std::system_error when it has none.
std::uint64_t random_bits();

}  // namespace inkmesh::node
