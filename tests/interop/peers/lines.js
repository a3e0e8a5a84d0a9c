// SPDX-License-Identifier: MIT
// The test's side of a peer written in JavaScript: options on the command line, then one JSON
// request a line on standard input, one JSON answer a line on standard output.
import readline from 'node:readline'
import crypto from 'node:crypto'

// --listen HOST:PORT (port 0: any) and --bootstrap HOST:PORT, which may be repeated.
export function readOptions () {
  const options = { host: '127.0.0.1', port: 0, bootstrap: [] }
  const args = process.argv.slice(2)
  while (args.length) {
    const [name, value] = args.splice(0, 2)
    if (name === '--listen') Object.assign(options, splitAddress(value))
    else if (name === '--bootstrap') options.bootstrap.push(splitAddress(value))
    else throw new Error('unknown option ' + name)
  }
  return options
}

export function splitAddress (text) {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
}

function say (message) {
  process.stdout.write(JSON.stringify(message) + '\n')
}

// Says that the peer is ready and answers requests, one after the other, until "quit" or the end
// of the input. commands: name -> async (request) => fields of the answer.
export async function serve (ready, commands) {
  say({ ready: true, ...ready })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    if (request.do === 'quit') {
      say({ ok: true })
      break
    }
    try {
      if (!commands[request.do]) throw new Error('no command ' + request.do)
      const deadline = within(request.timeout_s ?? 30)
      say({ ok: true, ...await Promise.race([commands[request.do](request), deadline.expired]) })
      deadline.cancel()
    } catch (error) {
      say({ ok: false, error: String(error) })
    }
  }
  process.exit(0)
}

function within (seconds) {
  let timer
  const expired = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), seconds * 1000)
  })
  return { expired, cancel: () => clearTimeout(timer) }
}

// ---- Ed25519 by node:crypto, keys given raw ----

// RFC 8410's fixed beginnings of a private key in PKCS#8 and of a public key in SPKI.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

export function keyPair (seed) {
  const secret = crypto.createPrivateKey({
    key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8'
  })
  const key = crypto.createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { key, sign: message => crypto.sign(null, message, secret) }
}

export function verify (signature, message, key) {
  const spki = Buffer.concat([SPKI, key])
  const publicKey = crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return crypto.verify(null, message, publicKey, signature)
}
