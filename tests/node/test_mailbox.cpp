#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

#include "node/mailbox.h"

namespace inkmesh::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool rings(const Wake& wake, int timeout_ms = 0) {
  pollfd fd{wake.fd(), POLLIN, 0};
  return poll(&fd, 1, timeout_ms) == 1;
}

TEST(Mailbox, GivesItemsInTheirOrder) {
  const Wake wake;
  Mailbox<int> mailbox(wake, {8});
  for (int n = 1; n <= 3; ++n)
    EXPECT_TRUE(mailbox.try_push(int{n}));
  std::vector<int> items;
  mailbox.take(items);
  EXPECT_THAT(items, ElementsAre(1, 2, 3));
  mailbox.take(items);
  EXPECT_THAT(items, IsEmpty());
}

TEST(Mailbox, RefusesPastItsNumberButNotWhatMustNotBeLost) {
  const Wake wake;
  Mailbox<int> mailbox(wake, {2});
  EXPECT_TRUE(mailbox.try_push(1));
  EXPECT_TRUE(mailbox.try_push(2));
  EXPECT_FALSE(mailbox.try_push(3));
  mailbox.push(4);
  EXPECT_EQ(mailbox.size(), 3U);
  std::vector<int> items;
  mailbox.take(items);
  EXPECT_THAT(items, ElementsAre(1, 2, 4));
  EXPECT_TRUE(mailbox.try_push(5));
}

TEST(Mailbox, RefusesPastItsBytes) {
  const Wake wake;
  Mailbox<int> mailbox(wake, {100, 1000});
  EXPECT_TRUE(mailbox.try_push(1, 600));
  EXPECT_FALSE(mailbox.try_push(2, 401));
  EXPECT_TRUE(mailbox.try_push(3, 400));
  EXPECT_FALSE(mailbox.try_push(4, 1));
  std::vector<int> items;
  mailbox.take(items);
  EXPECT_THAT(items, ElementsAre(1, 3));
  // What is larger than the bound still gets through alone, and nothing beside it.
  EXPECT_TRUE(mailbox.try_push(5, 5000));
  EXPECT_FALSE(mailbox.try_push(6, 1));
}

TEST(Mailbox, LeavesARefusedItemWithItsOwner) {
  const Wake wake;
  Mailbox<std::string> mailbox(wake, {0});
  std::string item = "a publish that is answered with unavailable";
  EXPECT_FALSE(mailbox.try_push(std::move(item)));
  EXPECT_EQ(item, "a publish that is answered with unavailable");
}

TEST(Mailbox, RingsForTheFirstItemOfEach) {
  const Wake wake;
  Mailbox<int> one(wake, {8});
  Mailbox<int> other(wake, {8});
  EXPECT_FALSE(rings(wake));
  one.push(1);
  EXPECT_TRUE(rings(wake));
  wake.clear();
  EXPECT_FALSE(rings(wake));
  other.push(2);
  EXPECT_TRUE(rings(wake));
}

TEST(Mailbox, LosesNothingBetweenManyThreads) {
  constexpr int kProducers = 4;
  constexpr int kItems = 20'000;
  const Wake wake;
  Mailbox<std::pair<int, int>> mailbox(wake, {64});
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&mailbox, producer] {
      for (int n = 0; n < kItems; ++n) {
        if (n % 7 == 0) {
          mailbox.push({producer, n});
        } else {
          while (!mailbox.try_push({producer, n}))
            std::this_thread::yield();
        }
      }
    });
  }
  std::vector<int> next(kProducers, 0);
  std::vector<std::pair<int, int>> items;
  int received = 0;
  bool in_order = true;
  while (received < kProducers * kItems) {
    ASSERT_TRUE(rings(wake, 30'000)) << "a wake was lost after " << received;
    wake.clear();
    mailbox.take(items);
    for (const auto& [producer, n] : items) {
      in_order = in_order && n == next[static_cast<std::size_t>(producer)]++;
      ++received;
    }
  }
  for (std::thread& producer : producers)
    producer.join();
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace inkmesh::node
