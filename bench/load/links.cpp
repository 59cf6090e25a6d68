#include "load/links.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

namespace inkmesh::bench {
namespace {

constexpr std::uint32_t kEstablished = 1;
constexpr std::size_t kAnswerBytes = std::size_t{64} * 1024;
constexpr std::size_t kAckedEnd = offsetof(tcp_info, tcpi_bytes_acked) + sizeof(std::uint64_t);

[[noreturn]] void refuse(const char* doing) {
  throw std::runtime_error(std::string("cannot count the nodes' bytes: ") + doing + ": " + std::strerror(errno));
}

class DiagSocket {
 public:
  DiagSocket() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
    if (fd_ < 0) refuse("socket");
  }
  ~DiagSocket() {
    close(fd_);
  }
  DiagSocket(const DiagSocket&) = delete;
  DiagSocket& operator=(const DiagSocket&) = delete;

  void ask_for_all() {
    struct {
      nlmsghdr head;
      inet_diag_req_v2 wanted;
    } request{};
    request.head.nlmsg_len = sizeof(request);
    request.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.wanted.sdiag_family = AF_INET;
    request.wanted.sdiag_protocol = IPPROTO_TCP;
    request.wanted.idiag_states = 1U << kEstablished;
    request.wanted.idiag_ext = 1U << (INET_DIAG_INFO - 1);
    if (send(fd_, &request, sizeof(request), 0) != static_cast<ssize_t>(sizeof(request))) refuse("send");
  }

  /// Calls `take` for each answer until the last one.
  template <typename Take>
  void read_all(Take take) {
    alignas(nlmsghdr) std::array<char, kAnswerBytes> answer{};
    while (true) {
      const ssize_t size = recv(fd_, answer.data(), answer.size(), 0);
      if (size <= 0) refuse("recv");
      auto left = static_cast<unsigned>(size);
      for (auto* head = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(head, left);
           head = NLMSG_NEXT(head, left)) {
        if (head->nlmsg_type == NLMSG_DONE) return;
        if (head->nlmsg_type == NLMSG_ERROR) {
          errno = -static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
          refuse("sock_diag");
        }
        take(*head);
      }
    }
  }

 private:
  int fd_;
};

/// What the other end has of what this one sent.
std::uint64_t acked_bytes(const nlmsghdr& head, const inet_diag_msg& socket) {
  auto left = static_cast<unsigned>(head.nlmsg_len - NLMSG_LENGTH(sizeof(socket)));
  const auto* first = reinterpret_cast<const char*>(&socket) + NLMSG_ALIGN(sizeof(socket));
  for (const auto* one = reinterpret_cast<const rtattr*>(first); RTA_OK(one, left); one = RTA_NEXT(one, left)) {
    if (one->rta_type != INET_DIAG_INFO || RTA_PAYLOAD(one) < kAckedEnd) continue;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, static_cast<const char*>(RTA_DATA(one)) + offsetof(tcp_info, tcpi_bytes_acked), sizeof(bytes));
    return bytes;
  }
  throw std::runtime_error("cannot count the nodes' bytes: the kernel gives no tcp_info");
}

}  // namespace

std::uint64_t Links::bytes() const {
  if (ports_.empty()) return 0;
  DiagSocket diag;
  diag.ask_for_all();
  std::uint64_t sum = 0;
  diag.read_all([&](const nlmsghdr& head) {
    const auto& socket = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&head));
    const bool ours = ports_.contains(ntohs(socket.id.idiag_sport)) || ports_.contains(ntohs(socket.id.idiag_dport));
    if (ours) sum += acked_bytes(head, socket);
  });
  return sum;
}

}  // namespace inkmesh::bench
