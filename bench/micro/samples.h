// Strokes as the benchmark draws them, for the benchmarks of single functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "inkmesh/stroke.h"
#include "load/strokes.h"

namespace inkmesh::bench {

inline Channel sample_channel(std::uint32_t number) {
  return "drawing_" + std::to_string(100'000 + number);
}

inline std::string sample_data(std::uint32_t author, std::uint64_t op) {
  std::string data;
  append_stroke({.publisher = author, .seq = static_cast<std::uint32_t>(op), .due_ns = op}, data);
  return data;
}

inline StrokePtr sample_stroke(std::uint32_t channel, const Origin& origin, Seq seq) {
  auto stroke = std::make_shared<Stroke>();
  stroke->channel = sample_channel(channel);
  stroke->origin = origin;
  stroke->seq = seq;
  stroke->ts = 1'763'890'000'000'000 + seq;
  stroke->client = "author-" + std::to_string(channel);
  stroke->op = seq;
  stroke->data = sample_data(channel, seq);
  return stroke;
}

inline const Origin kSampleOrigin = "ws1~5k2m9x1q";

}  // namespace inkmesh::bench
