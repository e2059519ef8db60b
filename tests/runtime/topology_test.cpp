#include "common/runtime/topology.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/messages/market_event.hpp"
#include "common/messages/tap.hpp"

namespace sluice {
namespace {

InstanceConfig demo() {
  return load_instance_config(SLUICE_SOURCE_DIR "/config/demo.toml");
}

TEST(Topology, EveryFileHasOneNameAndEveryRingTwoDifferentEnds) {
  const shm::Layout layout = layout_of(demo());
  std::set<std::string> names;
  for (const shm::RingSpec& ring : layout.rings) {
    EXPECT_TRUE(names.insert("ring " + ring.name).second) << ring.name;
    EXPECT_NE(ring.producer, ring.consumer) << ring.name;
  }
  for (const shm::BoardSpec& board : layout.boards) {
    EXPECT_TRUE(names.insert("board " + board.name).second) << board.name;
  }
}

TEST(Topology, MarketDataFitsOneCacheLineAndConflates) {
  for (const shm::RingSpec& ring : layout_of(demo()).rings) {
    if (ring.name != "md.crypto.momentum")
      continue;
    EXPECT_EQ(ring.payload_bytes + 8, 64u);
    EXPECT_EQ(ring.schema_hash, kSchemaHash<MarketEvent>);
    EXPECT_EQ(ring.policy, shm::RingPolicy::kConflate);
    EXPECT_EQ(ring.consumer, "strategy.momentum");
    return;
  }
  FAIL() << "md.crypto.momentum is missing";
}

TEST(Topology, WhatMayNotBeLostIsLosslessAndDrainedFirst) {
  const InstanceConfig config = demo();
  EXPECT_EQ(persistence_rings(config).front(), "exec.persistence");
  EXPECT_EQ(persistence_ring_index(config, "exec.persistence"), 0);
  for (const shm::RingSpec& ring : layout_of(config).rings) {
    if (ring.name == "exec.persistence") {
      EXPECT_EQ(ring.policy, shm::RingPolicy::kLossless);
    }
  }
}

TEST(Topology, EveryTapRingIsDrainedByPersistence) {
  const InstanceConfig config = demo();
  for (const shm::RingSpec& ring : layout_of(config).rings) {
    if (ring.consumer != kPersistenceRole || ring.schema_hash != kSchemaHash<Tap>)
      continue;
    EXPECT_EQ(persistence_rings(config).at(persistence_ring_index(config, ring.name)), ring.name);
  }
}

}  // namespace
}  // namespace sluice
