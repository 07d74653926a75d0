import { command } from '../command-file.ts'
import { flag } from '../options.ts'
import { siteOptions } from '../site-options.ts'

export const status = command({
  name: 'status',
  group: 'Site',
  summary: "show a site's node, chain, peers, studies, and the runs under way",
  options: { folder: siteOptions.folder, watch: flag('stay, and show each change') },
  example: ['rota status --folder ./cleveland', 'rota status --folder ./cleveland --watch'],
  async run({ options, out, signal }) {
    const { siteStatus, watchStatus } = await import('#app/site/site-status.ts')
    const { statusText } = await import('#cli/output/status-text.ts')
    if (!options.watch) {
      const now = await siteStatus(options.folder, signal)
      return out.result(now, () => statusText(now, out.style))
    }
    await watchStatus(options.folder, signal, (now) => {
      out.event(now)
      if (!out.json) out.line(`${out.terminal ? '\x1b[2J\x1b[H' : ''}${statusText(now, out.style)}${out.terminal ? '' : '\n'}`)
    })
    return 0
  },
})
