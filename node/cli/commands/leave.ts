import { command } from '../command-file.ts'
import { flag, text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const leave = command({
  name: 'leave',
  group: 'Network',
  summary: "end this site's membership, in order; without --yes it only shows what would happen",
  description: `Abstains from new rounds, waits for those under way (the others finish what does not end in time), takes back the steward's approvals, and ends
the membership, with the steward's account: at once and for good. Can be repeated when it was interrupted. Models that were made stay made.`,
  options: {
    ...siteOptions,
    stewardPasswordFile: text('FILE', "first line: the password of the steward's keystore (default: the site's)"),
    patience: whole('SECONDS', 'how long rounds under way may take to end', { from: 0 }, 600),
    yes: flag('really leave'),
  },
  example: ['rota leave --folder ./cleveland', 'rota leave --folder ./cleveland --yes'],
  async run({ options, out, signal }) {
    const { leaveNetwork, planToLeave } = await import('#app/site/leave.ts')
    const { leaveText, planText, stepText } = await import('#cli/output/leave-text.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal }
    if (!options.yes) {
      const plan = await planToLeave(call)
      out.result({ left: false, ...plan }, () => planText(plan, options.folder))
      return
    }
    const stewardPassword = options.stewardPasswordFile === undefined ? null : { file: options.stewardPasswordFile }
    const done = await leaveNetwork({ ...call, stewardPassword, patienceS: options.patience }, (step, leaving) => out.line(stepText(step, leaving)))
    out.result({ left: true, ...done }, () => leaveText(done))
  },
})
