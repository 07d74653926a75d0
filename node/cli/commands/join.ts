import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { flag, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const join = command({
  name: 'join',
  group: 'Start here',
  summary: 'enter a network: as a founder at once, else by the vote of its members',
  options: { ...siteOptions, contracts: text('ADDRESS', "the network's directory contract"), wait: flag('stay until the members have voted') },
  example: 'rota join --folder ./basel --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3 --wait',
  async run({ options, out, signal }) {
    const { joinNetwork } = await import('#app/chain/network.ts')
    const { joinText } = await import('#cli/output/join-text.ts')
    const call = {
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      contracts: needed('join', '--contracts', options.contracts),
      wait: options.wait,
    }
    const state = await joinNetwork(call, (waiting) => out.line(joinText(waiting, options.folder)))
    out.result(state, () => joinText(state, options.folder))
  },
})

export const admit = command({
  name: 'admit',
  group: 'Network',
  summary: "vote for a candidate's admission, or by its number on a member's removal, as this site",
  arguments: '<who>',
  options: { ...siteOptions, against: flag('vote against it') },
  example: 'rota admit Basel --folder ./cleveland',
  async run({ options, args, out, signal }) {
    const { admitSite } = await import('#app/chain/network.ts')
    const vote = await admitSite({ folder: options.folder, password: passwordFrom(options), signal, who: args[0] ?? '', against: options.against })
    out.result(
      vote,
      () =>
        `Voted ${options.against ? 'against' : 'for'} ${vote.kind === 'admit' ? vote.candidate : `${vote.kind}: ${vote.candidate}`}${vote.admitted ? `: ${vote.kind === 'admit' ? 'admitted' : 'done'}, with more than half of the members for it` : '; more votes are needed'}`,
    )
  },
})
