import { command } from '../command-file.ts'
import { flag } from '../options.ts'
import { siteOptions } from '../site-options.ts'

export const pause = command({
  name: 'pause',
  group: 'Site',
  summary: 'announce maintenance: the node abstains from new rounds until --off',
  description: 'The node goes on running and serves what it holds, so that a round under way is not lost; the others do not wait for it. Needs no restart.',
  options: { folder: siteOptions.folder, off: flag('take part again') },
  example: ['rota pause --folder ./cleveland', 'rota pause --folder ./cleveland --off'],
  async run({ options, out }) {
    const { pauseSite } = await import('#app/site/pause.ts')
    const done = await pauseSite(options.folder, options.off)
    out.result(done, () =>
      done.resting ? 'Resting: this site abstains from new rounds. Back with: rota pause --off' : 'Taking part again, from the next round on.',
    )
  },
})
