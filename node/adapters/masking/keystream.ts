import { createCipheriv } from 'node:crypto'
import type { Prg } from '#core/masking/crypto.ts'

/** What is encrypted to get the bare stream; grows to the longest that was asked for. */
let zeros = Buffer.alloc(1 << 20)

/** AES-256-CTR. OpenSSL makes 1 MiB of it in a third of a millisecond where the processor has AES instructions. */
export const keystream: Prg = (key, block, lengthBytes) => {
  if (zeros.length < lengthBytes) zeros = Buffer.alloc(lengthBytes)
  return createCipheriv('aes-256-ctr', key, counter(block)).update(zeros.subarray(0, lengthBytes))
}

function counter(block: bigint): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, block >> 64n), 0)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, block), 8)
  return bytes
}
