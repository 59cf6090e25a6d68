// Bytes to values and back: what a client sends, what clients and peers get, what the store keeps.
#include <benchmark/benchmark.h>

#include <string>

#include "micro/samples.h"
#include "store/record.h"
#include "wire/client_codec.h"
#include "wire/mesh_codec.h"

namespace inkmesh::bench {
namespace {

constexpr int kFrameStrokes = 64;

void count(benchmark::State& state, std::int64_t strokes, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * strokes);
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(strokes);
}

void parse_publish(benchmark::State& state) {
  const std::string text =
      R"({"type":"publish","id":17,"channel":"drawing_100001","op":17,"data":)" + sample_data(1, 17) + "}";
  for (auto _ : state) {
    auto parsed = wire::parse_request(text);
    if (!std::holds_alternative<wire::ClientRequest>(parsed)) state.SkipWithError("it was refused");
    benchmark::DoNotOptimize(parsed);
  }
  count(state, 1, text.size());
}
BENCHMARK(parse_publish)->Name("a client's publish, parsed");

void encode_for_clients(benchmark::State& state) {
  Strokes strokes;
  for (Seq seq = 1; seq <= static_cast<Seq>(state.range(0)); ++seq)
    strokes.push_back(sample_stroke(1, kSampleOrigin, seq));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto messages = wire::encode_strokes(strokes);
    bytes = 0;
    for (const auto& message : messages)
      bytes += message.size();
    benchmark::DoNotOptimize(bytes);
  }
  count(state, state.range(0), bytes);
}
BENCHMARK(encode_for_clients)->Name("strokes, encoded for clients")->Arg(1)->Arg(16);

/// One stroke each of many drawings, as a turn under load sends them.
Frame frame_of_strokes() {
  Frame frame{.node = "ws1", .epoch = "5k2m9x1q", .session = 1, .number = 1, .messages = {}};
  for (std::uint32_t i = 0; i < kFrameStrokes; ++i) {
    const auto stroke = sample_stroke(i, kSampleOrigin, 1000 + i);
    frame.messages.emplace_back(StrokeRun{{stroke}, false});
  }
  return frame;
}

void encode_frame(benchmark::State& state) {
  const Frame frame = frame_of_strokes();
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string encoded = wire::encode(frame);
    bytes = encoded.size();
    benchmark::DoNotOptimize(encoded.data());
  }
  count(state, kFrameStrokes, bytes);
}
BENCHMARK(encode_frame)->Name("a mesh frame of 64 drawings' strokes, encoded");

void decode_frame(benchmark::State& state) {
  const std::string encoded = wire::encode(frame_of_strokes());
  for (auto _ : state) {
    auto frame = wire::decode_frame(encoded);
    if (!frame) state.SkipWithError("it was refused");
    benchmark::DoNotOptimize(frame);
  }
  count(state, kFrameStrokes, encoded.size());
}
BENCHMARK(decode_frame)->Name("a mesh frame of 64 drawings' strokes, decoded");

void encode_record(benchmark::State& state) {
  const auto stroke = sample_stroke(1, kSampleOrigin, 17);
  std::string value(store::stroke_value_bytes(*stroke), '\0');
  for (auto _ : state) {
    const auto key = store::Key::of_stroke(stroke->channel, stroke->origin, stroke->seq);
    store::encode_stroke(key.bytes(), *stroke, false, value.data());
    benchmark::DoNotOptimize(value.data());
    benchmark::ClobberMemory();
  }
  count(state, 1, value.size());
}
BENCHMARK(encode_record)->Name("a store's record, encoded");

void decode_record(benchmark::State& state) {
  const auto stroke = sample_stroke(1, kSampleOrigin, 17);
  const auto key = store::Key::of_stroke(stroke->channel, stroke->origin, stroke->seq);
  std::string value(store::stroke_value_bytes(*stroke), '\0');
  store::encode_stroke(key.bytes(), *stroke, false, value.data());
  for (auto _ : state) {
    auto decoded = store::decode_stroke(key.bytes(), value, stroke->channel, stroke->origin, stroke->seq);
    if (!decoded) state.SkipWithError("it was refused");
    benchmark::DoNotOptimize(decoded);
  }
  count(state, 1, value.size());
}
BENCHMARK(decode_record)->Name("a store's record, decoded");

}  // namespace
}  // namespace inkmesh::bench
