#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A node of npm's bittorrent-dht that a test drives by lines of JSON (README.md has the commands).
import DHT from 'bittorrent-dht'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { keyPair, readOptions, serve, splitAddress, verify } from './lines.js'

const manifest = new URL('../node_modules/bittorrent-dht/package.json', import.meta.url)
const version = 'bittorrent-dht ' + JSON.parse(readFileSync(manifest)).version

const options = readOptions()
const bootstrap = options.bootstrap.map(node => `${node.host}:${node.port}`)
const dht = new DHT({ bootstrap: bootstrap.length ? bootstrap : false, verify })
dht.on('error', error => process.stderr.write(`error: ${error}\n`))
dht.on('warning', error => process.stderr.write(`warning: ${error}\n`))

const bytes = hex => Buffer.from(hex ?? '', 'hex')
const saltOf = request => request.salt ? { salt: bytes(request.salt) } : {}
const nodes = () => dht.nodes.toArray().map(node => `${node.host}:${node.port}`)
const get = promisify(dht.get.bind(dht))

// put() hands its callback two results, which promisify would cut to one.
function put (item) {
  return new Promise((resolve, reject) => {
    dht.put(item, (error, target, stored) => error ? reject(error) : resolve({ target, stored }))
  })
}

function found (item) {
  if (!item) return { found: false }
  return { found: true, value: Buffer.from(item.v).toString('hex'), seq: item.seq }
}

const commands = {
  async put_immutable (request) {
    const { target, stored } = await put({ v: bytes(request.value) })
    return { target: target.toString('hex'), stored }
  },

  async put_mutable (request) {
    const { key, sign } = keyPair(bytes(request.seed))
    const seq = request.seq ?? Date.now() * 1000
    const { stored } = await put({ k: key, seq, v: bytes(request.value), sign, ...saltOf(request) })
    return { key: key.toString('hex'), seq, stored }
  },

  // cache: false, for an item that this very node stores would else come from its own memory.
  async get_immutable (request) {
    return found(await get(bytes(request.target), { cache: false }))
  },

  async get_mutable (request) {
    const salt = saltOf(request)
    const target = dht._hash(Buffer.concat([bytes(request.key), bytes(request.salt)]))
    return found(await get(target, { cache: false, ...salt }))
  },

  async nodes () {
    return { nodes: nodes() }
  },

  async wait_nodes (request) {
    while (nodes().length < request.at_least) await once(dht, 'node')
    return { nodes: nodes() }
  },

  async add_node (request) {
    dht.addNode(splitAddress(request.address))
    return {}
  },

  async announce (request) {
    return new Promise((resolve, reject) => {
      const port = dht.address().port
      dht.announce(bytes(request.info_hash), port, (error, stored) => {
        error ? reject(error) : resolve({ stored, port })
      })
    })
  },

  async get_peers (request) {
    const peers = new Set()
    const collect = (peer, hash) => {
      if (hash.toString('hex') === request.info_hash) peers.add(`${peer.host}:${peer.port}`)
    }
    dht.on('peer', collect)
    await promisify(dht.lookup.bind(dht))(bytes(request.info_hash))
    dht.off('peer', collect)
    return { peers: [...peers] }
  }
}

// Queries that the constructor queued leave with the socket's binding, so listen at once.
dht.listen(options.port, options.host)
await once(dht, 'listening')
if (!dht.ready) await once(dht, 'ready')
await serve({ address: `${options.host}:${dht.address().port}`, version }, commands)
