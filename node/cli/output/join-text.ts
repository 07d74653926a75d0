import type { JoinState } from '#app/chain/network.ts'

export const joinText = (state: JoinState, folder: string): string =>
  state.state === 'member'
    ? `${state.name} is a member: site ${state.site}. Next: rota run --folder ${folder}`
    : `Waiting for the members' votes: ${state.votes} of ${state.needed} (${state.members.join(', ')}). Each votes with: rota admit ${state.proposal}`
