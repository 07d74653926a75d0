import { command } from '../command-file.ts'
import { flag } from '../options.ts'
import { siteOptions } from '../site-options.ts'

export const privacy_status = command({
  name: 'privacy status',
  group: 'Studies',
  summary: "show what a site's dataset has spent of its privacy, and has left",
  description: `One line for each study with differential privacy: epsilon spent in all studies on the dataset, by RDP as the chain counts it and refuses by, and by
PRV, which is tight; what the study's limit leaves, and for how many of its rounds. A round is charged before it is trained, and stays charged when it comes to nothing.`,
  options: { folder: siteOptions.folder, all: flag("other sites' datasets too: they stand on the chain, by digest") },
  example: 'rota privacy status --folder ./cleveland',
  async run({ options, out, signal }) {
    const { privacyStatus } = await import('#app/privacy/status.ts')
    const { statusText } = await import('#cli/output/privacy-text.ts')
    const status = await privacyStatus({ folder: options.folder, all: options.all, signal })
    out.result(status, () => statusText(status, out.style))
  },
})
