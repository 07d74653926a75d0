import { command } from '../command-file.ts'
import { choice, flag, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const stewardPasswordFile = text('FILE', "first line: the password of the steward's keystore (default: the site's)")
const sourceOf = (file: string | undefined) => (file === undefined ? null : { file })

export const key_rotate = command({
  name: 'key rotate',
  group: 'Network',
  summary: "put another account in the place of the node's or the steward's, at once",
  description: `Signed by the steward's account, for when a key may be known to others, or on a calendar. The node must not run; start it again afterwards.
The new key is on the disk before the chain hears of it: what was interrupted is finished by giving the command again.`,
  options: { ...siteOptions, stewardPasswordFile, role: choice(['node', 'steward'], 'whose account', 'node') },
  example: ['rota key rotate --folder ./cleveland', 'rota key rotate --folder ./cleveland --role steward'],
  async run({ options, out, signal }) {
    const { rotateKey } = await import('#app/site/key-rotate.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal, role: options.role, stewardPassword: sourceOf(options.stewardPasswordFile) }
    const done = await rotateKey(call)
    out.result(done, () => `The ${done.role} account of site ${done.site} is ${done.account} from now on.`)
  },
})

export const key_recover = command({
  name: 'key recover',
  group: 'Network',
  summary: "put other accounts in the place of the node's and the steward's, by the recovery account",
  description: `For when the steward's key is lost or stolen. Asks the contract; 48 hours later the same command finishes. Until then the steward can stop it with
--cancel, so that a thief of the recovery key can be stopped. The node must not run.`,
  options: {
    ...siteOptions,
    stewardPasswordFile,
    recoveryPasswordFile: text('FILE', "first line: the password of the recovery keystore (default: the site's)"),
    cancel: flag("stop a recovery that is under way, by the steward's account"),
  },
  example: ['rota key recover --folder ./cleveland', 'rota key recover --folder ./cleveland --cancel'],
  async run({ options, out, signal }) {
    const { cancelRecovery, recoverSite } = await import('#app/site/key-recover.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal, stewardPassword: sourceOf(options.stewardPasswordFile) }
    if (options.cancel) {
      const { site } = await cancelRecovery(call)
      out.result({ state: 'cancelled', site }, () => `The recovery of site ${site} is cancelled: its accounts stay.`)
      return
    }
    const found = await recoverSite({ ...call, recoveryPassword: sourceOf(options.recoveryPasswordFile) })
    out.result(found, () =>
      found.state === 'finished'
        ? `Site ${found.site} has new accounts: node ${found.node}, steward ${found.steward}.`
        : `Recovery of site ${found.site} is under way. Give the command again after ${new Date(found.readyAt * 1000).toISOString()} (chain time).`,
    )
  },
})
