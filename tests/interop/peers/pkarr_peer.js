#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// npm's pkarr, publishing and resolving through a DHT that a test chooses (README.md has the
// commands). pkarr's own entry point knows no bootstrap option, its lib/dht.js does.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import z32 from 'z32'
import { DHT } from 'pkarr/lib/dht.js'
import SignedPacket from 'pkarr/lib/signed_packet.js'
import { decodeKey, generateKeyPair } from 'pkarr/lib/tools.js'
import { readOptions, serve } from './lines.js'

const manifest = new URL('../node_modules/pkarr/package.json', import.meta.url)
const version = 'pkarr ' + JSON.parse(readFileSync(manifest)).version

const options = readOptions()
// pkarr remembers nodes between runs; each test starts without memories.
const storageLocation = mkdtempSync(path.join(tmpdir(), 'pnr-pkarr-'))
process.on('exit', () => rmSync(storageLocation, { recursive: true, force: true }))
const client = new DHT({ bootstrap: options.bootstrap, storageLocation })
client._dht.on('warning', error => process.stderr.write(`warning: ${error}\n`))

function recordsOf (packet) {
  return packet.packet().answers.map(({ name, type, ttl, data }) => ({
    name, type, ttl, data: readable(data)
  }))
}

// A TXT record's data is a list of byte strings, an A record's a text, an unknown one's bytes.
function readable (data) {
  if (Buffer.isBuffer(data)) return data.toString('hex')
  if (Array.isArray(data)) return data.map(part => part.toString())
  return data
}

const commands = {
  // records: [{ name, type: "A" or "TXT", ttl, data }], names as pkarr takes them ("@": the key).
  async publish (request) {
    const pair = generateKeyPair(Buffer.from(request.seed, 'hex'))
    const answers = request.records.map(record => ({ class: 'IN', ...record }))
    const packet = SignedPacket.fromPacket(pair, { id: 0, type: 'response', flags: 0, answers })
    const { nodes } = await client.put(packet.bep44Args())
    return {
      key: pair.publicKey.toString('hex'),
      name: z32.encode(pair.publicKey),
      seq: packet.timestamp(),
      asked: nodes.length
    }
  },

  async resolve (request) {
    const args = await client.get(decodeKey(request.name), { fullLookup: true })
    if (!args) return { found: false }
    const packet = SignedPacket.fromBep44Args(args)
    return { found: true, seq: packet.timestamp(), records: recordsOf(packet) }
  },

  async nodes () {
    return { nodes: client._dht.nodes.toArray().map(node => `${node.host}:${node.port}`) }
  }
}

client._dht.listen(options.port, options.host)
await once(client._dht, 'listening')
if (!client._dht.ready) await once(client._dht, 'ready')
await serve({ address: `${options.host}:${client._dht.address().port}`, version }, commands)
