import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const backup = command({
  name: 'backup',
  group: 'Site',
  summary: 'put what nobody else has into one file, under the password of the keys',
  description: `Keys, config, mapping, consents, and the record of cohorts that exact runs used; how far the journal was, not the journal. Never a secret of a
round, never rows. May run while the node runs: daily, and after every exact run.`,
  options: { ...siteOptions, out: text('FILE', 'the file to make; it must not be there yet') },
  example: 'rota backup --folder ./cleveland --out cleveland.backup',
  async run({ options, out }) {
    const { backUp } = await import('#app/backup/backup.ts')
    const { backupText } = await import('#cli/output/backup-text.ts')
    const done = await backUp({ folder: options.folder, password: passwordFrom(options), out: needed('backup', '--out', options.out) })
    out.result(done, () => backupText(done))
  },
})

export const restore = command({
  name: 'restore',
  group: 'Site',
  summary: "make a site's folder again from a backup",
  description: `Only when the old node is off and stays off: two nodes with one set of keys contradict each other. The node takes part from the next round on.
Refused: a damaged file, a wrong password, another site's folder, a folder with a newer journal, a folder that is not empty.`,
  arguments: '<backup>',
  options: { folder: siteOptions.folder, passwordFile: text('FILE', "first line: the password of the site's keys"), passwordFd: siteOptions.passwordFd },
  example: 'rota restore cleveland.backup --folder ./cleveland --password-file cleveland.pw',
  async run({ options, args, out }) {
    const { restoreSite } = await import('#app/backup/restore.ts')
    const { restoreText } = await import('#cli/output/backup-text.ts')
    const password = passwordFrom(options) ?? { file: needed('restore', '--password-file', options.passwordFile) }
    const done = await restoreSite({ file: args[0] ?? '', folder: options.folder, password })
    out.result(done, () => restoreText(done))
  },
})
