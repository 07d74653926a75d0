import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Shelf } from '#adapters/sim/disks.ts'

/** One file for all pieces of large vectors that simulated sites hold: 200 updates of 40 MB are 8 GB. Ended by `close`, which deletes it. */
export function fileShelf(): Shelf & { close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'rota-shelf-'))
  const file = openSync(join(folder, 'pieces'), 'w+')
  let end = 0
  return {
    put(bytes) {
      const place = end
      while (end < place + bytes.length) end += writeSync(file, bytes, end - place, undefined, end)
      return place
    },
    get(place, lengthBytes) {
      const bytes = new Uint8Array(lengthBytes)
      for (let read = 0; read < lengthBytes; ) {
        const more = readSync(file, bytes, read, lengthBytes - read, place + read)
        if (more === 0) throw new Error(`the shelf ends ${lengthBytes - read} bytes early`)
        read += more
      }
      return bytes
    },
    close() {
      closeSync(file)
      rmSync(folder, { recursive: true })
    },
  }
}
