// A second process under a node's id, and what nodes say of such.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { httpGet, Node } from './cluster.mjs';
import { freePorts } from './process.mjs';

const ROLES = ['client', 'gossip', 'mesh'];

/** A second process for that node: with its cluster file, but for where it listens and what it stores. */
export async function twinOf(cluster, node) {
  const ports = await freePorts(3);
  const twin = new Node(cluster, node.id, ports[0]);
  [twin.gossipPort, twin.meshPort] = ports.slice(1);
  twin.logFile = path.join(cluster.folder, 'twin.log');
  twin.configFile = path.join(cluster.folder, 'twin.yaml');
  twin.dataFolder = path.join(cluster.folder, 'twin', node.id);
  const own = { client: node.port, gossip: node.gossipPort, mesh: node.meshPort };
  let yaml = await readFile(node.configFile ?? cluster.configFile, 'utf8');
  for (const [i, role] of ROLES.entries()) {
    const listens = new RegExp(`^( +${role}: )127\\.0\\.0\\.1:${own[role]}$`, 'm');
    assert.match(yaml, listens);
    yaml = yaml.replace(listens, `$1{ listen: "127.0.0.1:${ports[i]}", advertise: "127.0.0.1:${own[role]}" }`);
  }
  await writeFile(twin.configFile, yaml.replaceAll(path.join(cluster.folder, 'data'), path.join(cluster.folder, 'twin')));
  return twin;
}

export const peerOf = (status, id) => status.peers.find((peer) => peer.id === id);

/** Each other node says that two processes run as that one. */
export async function namedByAll(cluster, node) {
  for (const peer of cluster.others(node)) if (!peerOf(await peer.status(), node.id).twin) return false;
  return true;
}

export const readiness = async (node) => {
  const answer = await httpGet(`${node.http}/readyz`, 2_000);
  return { status: answer.status, reasons: JSON.parse(answer.text).reasons };
};

/** It takes no clients because of another process; `other` begins what it says of that one. */
export const shutOutBy = async (node, other) =>
  (await readiness(node)).reasons.some((reason) => reason.startsWith(`twin: another process runs as ${other}`));
