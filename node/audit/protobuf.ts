/** One field of a protobuf message: its number, and a varint or a length-delimited run of bytes. */
export type Field = { readonly number: number; readonly varint: number } | { readonly number: number; readonly bytes: Uint8Array }

/**
 * The fields of a message, as far as dag-pb and UnixFS use them: varints (wire type 0) and bytes (wire type 2).
 * @returns null when the bytes are no such message
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function readFields(message: Uint8Array): readonly Field[] | null {
  const fields: Field[] = []
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at)
    const value = tag && readVarint(message, tag.end)
    if (!tag || !value) return null
    const number = Math.floor(tag.value / 8)
    at = value.end
    if (tag.value % 8 === 0) fields.push({ number, varint: value.value })
    else if (tag.value % 8 === 2 && at + value.value <= message.length) fields.push({ number, bytes: message.subarray(at, (at += value.value)) })
    else return null
  }
  return fields
}

/** Least significant seven bits first, at most 53 bits; null when the bytes end within it. */
export function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) return null
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, end: start + i + 1 } : null
  }
  return null
}
