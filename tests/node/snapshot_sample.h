// A snapshot in which every number is another, so that a test sees which went where.
#pragma once

#include "node/snapshot.h"

namespace inkmesh::node {

inline Snapshot sample_snapshot() {
  Snapshot now;
  now.core.self = "ws1";
  now.core.epoch = "5k2m9x1q";
  now.core.ready = true;
  now.core.channels = 101;
  now.core.interest_channels = 102;
  now.core.subscriptions = 103;
  now.core.lagging_subscriptions = 104;
  now.core.strokes_accepted = 105;
  now.core.strokes_delivered = 106;
  now.core.duplicates = 107;
  now.core.forks = 108;
  now.core.channel_origins_max = 109;
  now.core.damaged_records = 110;
  now.core.repairs = 111;
  now.core.hollow = true;
  now.core.hollow_because = HollowBecause::lost_records;
  now.core.strokes_ahead = {{"ws2", 112}, {"ws7", 113}};
  now.core.twin = TwinStatus{"bbbbbbbb", "10.0.0.8", false};
  now.core.shut_out = true;
  PeerStatus peer;
  peer.id = "ws2";
  peer.state = "up";
  peer.epoch = "h80c3jzt";
  peer.settled = true;
  peer.same_list = true;
  peer.lag_strokes = 201;
  peer.clock_offset_ms = -250;
  peer.forwarded_interest = 202;
  peer.forwarded_durability = 203;
  peer.received_strokes = 204;
  peer.frames_lost = 205;
  peer.other_version = 7;
  now.core.peers.push_back(peer);
  peer.id = "ws3";
  peer.state = "down";
  peer.awaited = true;
  peer.same_list = false;
  peer.other_version = 0;
  peer.twin = TwinStatus{"aaaaaaaa", "10.0.0.9", true};
  peer.forwarded_interest = 0;
  peer.forwarded_durability = 0;
  now.core.peers.push_back(peer);
  now.mesh.peers.push_back({"ws2", 301, 302, 303, 304});
  now.mesh.peers.push_back({"ws3", 0, 0, 0, 0});
  now.mesh.malformed = 305;
  now.edge.connections = 401;
  now.edge.bytes_out = 402;
  now.committer.commits = 501;
  now.committer.commit_us_total = 2'500'000;
  now.store.used_bytes = 601;
  now.store.map_bytes = 602;
  now.store.strokes = 603;
  now.loop.turns = 701;
  now.loop.refused = 702;
  now.process.resident_bytes = 801;
  now.process.cpu_seconds = 1.5;
  now.process.descriptors = 802;
  return now;
}

}  // namespace inkmesh::node
