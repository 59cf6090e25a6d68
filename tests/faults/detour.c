// A link with a detour: frames between two interfaces come late, each by its own time from a seed, so that some overtake
// others. (Where the kernel has no netem.) Usage: detour LEFT RIGHT DELAY_MS JITTER_MS SEED. On SIGTERM it ends, and says
// how many frames it carried and how many of them were overtaken.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { frame_max = 70 * 1024, frames_max = 20000 };

struct frame {
  int64_t due_us;
  uint64_t number;  // in the order of arrival, in its direction
  int to;           // 0 or 1
  size_t size;
  unsigned char* bytes;
};

static struct frame heap[frames_max];
static size_t waiting;
static volatile sig_atomic_t over;
static uint64_t state;

static void on_signal(int signal) {
  (void)signal;
  over = 1;
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t chance(uint64_t below) {  // splitmix64
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return below == 0 ? 0 : (z ^ (z >> 31)) % below;
}

static int before(size_t a, size_t b) {
  return heap[a].due_us < heap[b].due_us || (heap[a].due_us == heap[b].due_us && heap[a].number < heap[b].number);
}

static void swap(size_t a, size_t b) {
  const struct frame other = heap[a];
  heap[a] = heap[b];
  heap[b] = other;
}

static void push(struct frame frame) {
  size_t at = waiting++;
  heap[at] = frame;
  for (; at > 0 && before(at, (at - 1) / 2); at = (at - 1) / 2) swap(at, (at - 1) / 2);
}

static struct frame pop(void) {
  const struct frame first = heap[0];
  heap[0] = heap[--waiting];
  for (size_t at = 0, child; (child = 2 * at + 1) < waiting; at = child) {
    if (child + 1 < waiting && before(child + 1, child)) ++child;
    if (!before(child, at)) break;
    swap(at, child);
  }
  return first;
}

/// Frames come and go with what the kernel still owes them: checksums that are not filled in, segments not cut yet.
static int open_interface(const char* name) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  const int on = 1, room = 8 << 20;
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  at.sll_ifindex = (int)if_nametoindex(name);
  struct packet_mreq promiscuous = {.mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
  if (fd < 0 || at.sll_ifindex == 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) != 0 ||
      bind(fd, (struct sockaddr*)&at, sizeof at) != 0) {
    perror(name);
    exit(1);
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int64_t delay_us = atoll(argv[3]) * 1000;
  const uint64_t jitter_us = strtoull(argv[4], NULL, 10) * 1000;
  state = strtoull(argv[5], NULL, 10);
  struct pollfd ends[2] = {{.fd = open_interface(argv[1]), .events = POLLIN},
                           {.fd = open_interface(argv[2]), .events = POLLIN}};
  signal(SIGTERM, on_signal);
  static unsigned char buffer[frame_max];
  uint64_t arrived[2] = {0, 0}, latest[2] = {0, 0}, carried = 0, overtaken = 0, lost = 0;
  printf("ready\n");
  fflush(stdout);
  while (!over) {
    const int64_t wait_us = waiting == 0 ? 100000 : heap[0].due_us - now_us();
    const struct timespec wait = {0, wait_us < 0 ? 0 : (wait_us > 100000 ? 100000 : wait_us) * 1000};
    ppoll(ends, 2, &wait, NULL);
    for (int from = 0; from < 2; ++from) {
      ssize_t size;
      while ((size = recv(ends[from].fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        struct frame frame = {now_us() + delay_us + (int64_t)chance(jitter_us + 1), ++arrived[from], 1 - from, (size_t)size,
                              malloc((size_t)size)};
        if (waiting == frames_max || frame.bytes == NULL) {
          ++lost;
          free(frame.bytes);
          continue;
        }
        memcpy(frame.bytes, buffer, (size_t)size);
        push(frame);
      }
    }
    while (waiting > 0 && heap[0].due_us <= now_us()) {
      const struct frame frame = pop();
      if (send(ends[frame.to].fd, frame.bytes, frame.size, 0) < 0) ++lost;
      ++carried;
      if (frame.number < latest[frame.to]) ++overtaken;
      else latest[frame.to] = frame.number;
      free(frame.bytes);
    }
  }
  printf("{\"carried\":%llu,\"overtaken\":%llu,\"lost\":%llu}\n", (unsigned long long)carried,
         (unsigned long long)overtaken, (unsigned long long)lost);
  return 0;
}
