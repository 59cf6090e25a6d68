// A client's text frame, and the same bytes as the body of an HTTP publish: a request within the protocol's bounds, or
// an error that can be sent.
#include "door.h"
#include "wire/client_codec.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

constexpr fuzz::Growth kGrowth{16, 4096};

void check(const wire::Hello& hello) {
  expect(!hello.client || valid_client(*hello.client));
}
void check(const wire::Ping& /*ping*/) {}
void check(const Subscribe& request) {
  expect(valid_channel(request.channel) && request.id <= kNumberMax && request.start.since <= kNumberMax);
}
void check(const Unsubscribe& request) {
  expect(valid_channel(request.channel) && request.id <= kNumberMax);
}
void check(const Publish& request) {
  expect(valid_channel(request.channel) && request.op >= 1 && request.op <= kNumberMax);
  expect(!request.data.empty() && request.data.size() <= kDataBytesMax);
}
void check(const SignalSent& request) {
  expect(valid_channel(request.channel) && !request.data.empty() && request.data.size() <= kDataBytesMax);
}
void check(const PresenceAsk& request) {
  expect(valid_channel(request.channel) && request.id <= kNumberMax);
}

/// An error's text is a message of its own: JSON of an unknown type.
void check(const SendError& error) {
  expect(!error.message.empty());
  const auto again = wire::parse_request(wire::encode(error));
  const auto* refusal = std::get_if<SendError>(&again);
  expect(refusal != nullptr && refusal->message.rfind("type must be", 0) == 0 && refusal->id == error.id);
}

/// Data that was taken is JSON wherever it is put: as it will be in a stroke.
void check_data(std::string_view data) {
  const auto again = wire::parse_request(R"({"type":"signal","channel":"c","data":)" + std::string(data) + "}");
  const auto* request = std::get_if<wire::ClientRequest>(&again);
  expect(request != nullptr && std::get<SignalSent>(*request).data == data);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  const auto parsed = fuzz::within(kGrowth, size, [&] { return wire::parse_request(text); });
  if (const auto* error = std::get_if<SendError>(&parsed)) {
    check(*error);
  } else {
    std::visit([](const auto& request) { check(request); }, std::get<wire::ClientRequest>(parsed));
  }
  const auto body = fuzz::within(kGrowth, size, [&] { return wire::parse_http_publish("c", text); });
  if (const auto* publish = std::get_if<Publish>(&body)) {
    check(*publish);
    check_data(publish->data);
    expect(valid_client(publish->client));
  } else {
    check(std::get<SendError>(body));
  }
  return 0;
}
