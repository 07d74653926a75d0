// Loaded before a node (--import): it says and reads announcements and greetings of the next version, which the others do not know yet.
import { registerHooks } from 'node:module'

const CONSTANTS = /\b(ANNOUNCE_VERSION|HELLO_VERSION) = 1\b/

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!/(wire\/announce|network\/hello)\.ts$/.test(url)) return loaded
    const text = String(loaded.source)
    if (!CONSTANTS.test(text)) throw new Error(`${url} has no version that this could raise`)
    return { ...loaded, source: text.replace(CONSTANTS, '$1 = 2') }
  },
})
