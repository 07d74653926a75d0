/** Who may import whom: DESIGN's table as data. `generate-biome.ts` turns it into lint rules, a test plants each forbidden import. */
export interface Layer {
  /** Folder under node/; its own files may always import each other. */
  readonly folder: string
  /** Folders under node/ that it may import, all that lies below included. */
  readonly may: readonly string[]
  /** Packages, their sub-paths included. */
  readonly packages: readonly string[]
  /** Whether it may use Node's own modules: only where the world is touched. */
  readonly builtins: boolean
  /** Why, or what to do instead; ends the lint message. */
  readonly hint: string
}

const CORE_HINT = 'core is arithmetic: time, randomness and hashing come as arguments.'
const ADAPTER_HINT = 'An adapter knows one outside thing and no other adapter; app puts them together.'

const core = (name: string): Layer => ({ folder: `core/${name}`, may: ['base', 'core'], packages: [], builtins: false, hint: CORE_HINT })
const adapter = (name: string, packages: readonly string[]): Layer => ({
  folder: `adapters/${name}`,
  may: ['base', 'core', 'wire', 'ports', 'patient'],
  packages,
  builtins: true,
  hint: ADAPTER_HINT,
})

export const layers: readonly Layer[] = [
  { folder: 'base', may: [], packages: [], builtins: false, hint: 'base is under everything and needs nothing.' },
  ...['commit', 'consent', 'evaluation', 'evidence', 'learner', 'masking', 'model', 'privacy', 'protocol', 'ring'].map(core),
  { folder: 'wire', may: ['base', 'core'], packages: ['@ipld/dag-cbor', 'multiformats'], builtins: false, hint: 'wire is what is said, not who says it.' },
  {
    folder: 'patient',
    may: ['base', 'core', 'wire'],
    packages: ['@noble/curves', '@noble/hashes'],
    builtins: false,
    hint: "patient is what runs in the patient's hand, in a browser too.",
  },
  { folder: 'ports', may: ['base', 'core', 'wire'], packages: [], builtins: false, hint: 'A port says what is needed, in our words; adapters say how.' },
  { folder: 'round', may: ['base', 'core', 'wire', 'ports'], packages: [], builtins: false, hint: 'round asks for a port; app hands it the adapter.' },
  {
    folder: 'audit',
    may: ['base', 'core/protocol', 'core/model', 'core/learner', 'wire', 'ports'],
    packages: [],
    builtins: true,
    hint: 'The audit adds up with its own code, so that a fault of the nodes cannot hide in it.',
  },
  adapter('chain', ['ethers', 'ws']),
  adapter('cohort', ['csv-parse', 'yaml', 'zod', 'ethers']),
  adapter('devchain', []),
  adapter('fhir', ['zod']),
  adapter('gossip', ['@libp2p', 'libp2p', '@chainsafe/libp2p-gossipsub', '@multiformats', 'multiformats']),
  adapter('host', []),
  adapter('journal', []),
  adapter('masking', ['shamir-secret-sharing']),
  adapter('network', ['@libp2p', 'libp2p', '@multiformats', 'multiformats']),
  adapter('sim', ['multiformats', '@ipld/dag-cbor', 'ethers']),
  adapter('store', ['helia', '@helia', '@libp2p', 'libp2p', '@multiformats', 'multiformats', 'blockstore-fs', '@ipld/dag-cbor']),
  adapter('training', ['@tensorflow']),
  adapter('vault', ['ethers']),
  { folder: 'web', may: ['base', 'audit', 'ports'], packages: [], builtins: true, hint: 'Pages show what audit and ports tell them.' },
  {
    folder: 'web/pages',
    may: ['base', 'core', 'wire', 'patient'],
    packages: ['preact', '@picocss/pico', 'qr'],
    builtins: false,
    hint: 'A page runs in a browser: it asks a server for the rest.',
  },
  { folder: 'web/print', may: ['base', 'core', 'patient'], packages: ['qr'], builtins: true, hint: 'What is printed is made of what it is given.' },
  {
    folder: 'web/portal',
    may: ['base', 'core', 'wire', 'ports', 'patient', 'web'],
    packages: ['hono', '@hono/node-server'],
    builtins: true,
    hint: 'A server is handed what it serves by app.',
  },
  {
    folder: 'web/desk',
    may: ['base', 'core', 'wire', 'ports', 'patient', 'web'],
    packages: ['hono', '@hono/node-server', 'openid-client', 'otpauth', 'qr'],
    builtins: true,
    hint: 'A server is handed what it serves by app.',
  },
  {
    folder: 'app',
    may: ['base', 'core', 'wire', 'ports', 'round', 'audit', 'adapters', 'patient', 'web'],
    packages: ['zod', 'yaml'],
    builtins: true,
    hint: 'app wires parts together; a package belongs into an adapter, a question to the person into cli.',
  },
  { folder: 'cli', may: ['base', 'app'], packages: ['commander'], builtins: true, hint: 'A command asks app and prints the answer.' },
]

/** The layer that a path like node/core/ring/add.ts belongs to: the longest folder that fits. */
export const layerOf = (path: string): Layer | undefined =>
  layers.filter(({ folder }) => path.startsWith(`node/${folder}/`)).sort((a, b) => b.folder.length - a.folder.length)[0]
