import { open } from 'node:fs/promises'

const LOOK_MS = 50

/** Tells each whole line that is added to a file, until stopped. The file need not be there yet. */
export function followFile(path: string, tell: (line: string) => void): { stop(): Promise<void> } {
  const stopped = new AbortController()
  let [at, rest] = [0, '']
  const look = async (): Promise<void> => {
    const file = await open(path).catch(() => null)
    if (file === null) return
    try {
      const { size } = await file.stat()
      if (size <= at) return
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - at), 0, size - at, at)
      at += bytesRead
      const lines = (rest + buffer.toString('utf8', 0, bytesRead)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) tell(line)
    } finally {
      await file.close()
    }
  }
  const done = (async () => {
    while (!stopped.signal.aborted) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    await look()
  })()
  return {
    async stop() {
      stopped.abort()
      await done
    },
  }
}
