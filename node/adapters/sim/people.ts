import { has } from '#base/bitmap.ts'
import { type Digest, type StudyId, studyId } from '#base/ids.ts'
import type { Acts, Hand } from './hand.ts'
import type { SimSite } from './site.ts'
import type { SimWorld } from './world.ts'

type Kinds = 'rest' | 'approval-withdrawn' | 'study-stopped' | 'resign' | 'withdrawal' | 'other-chain'

/** What engineers, stewards and patients do while a run goes on. */
export const peoplesActs = (hand: Hand): Acts<Kinds> => ({
  rest: ({ who, lastsMs }) =>
    hand.at(who, 'maintenance', (site) => {
      site.trouble.resting = true
      hand.lasts(site, 'it rests', lastsMs, () => {
        site.trouble.resting = false
      })
    }),
  'approval-withdrawn': ({ who, lastsMs }) => hand.at(who, 'approval withdrawn', (site) => void withdrawApproval(hand, site, lastsMs)),
  'study-stopped': ({ group, lastsMs }) => {
    hand.note(null, `the stewards of sites ${group.join(', ')} stop the study`)
    for (const id of group) void withdrawApproval(hand, hand.world.site(id), lastsMs)
  },
  resign: ({ who }) => hand.at(who, 'resigned', (site) => resign(hand, site)),
  withdrawal: ({ who }) => withdrawPatient(hand, hand.siteOf(who)),
  'other-chain': ({ who, lastsMs }) => hand.at(who, 'another chain', (site) => showAnotherChain(hand, site, lastsMs)),
})

const LOOK_MS = 500
const AGAIN_MS = 5_000

/** In trouble until it stands in the rota of a round that would open now: a key has to be drawn first. */
async function withdrawApproval(hand: Hand, site: SimSite, lastsMs: number): Promise<void> {
  const { world } = hand
  const { time, casualties } = world
  const study = studyNow(world)
  const desk = world.steward(site).studyDesk()
  const { protocolDigest } = world.chain.study(study)
  const over = casualties.fall(site.id, 'its steward has taken it out of the study')
  hand.note(site, 'its steward takes it out of the study')
  await desk.withdrawSite(study).catch(() => undefined)
  await time.sleep(lastsMs)
  for (;;) {
    await desk.approve(study, protocolDigest).catch(() => undefined)
    if (has(world.chain.contracts.studies.membersNow(study), site.id) || world.gone.has(site.id)) break
    await time.sleep(AGAIN_MS)
  }
  hand.note(site, 'its steward has approved the study again')
  while (!has(world.chain.contracts.studies.rotaNow(study).sites, site.id)) await time.sleep(LOOK_MS)
  over()
}

const studyNow = ({ chain }: SimWorld): StudyId => chain.contracts.coordinator.runs.at(-1)?.study ?? studyId(1)

/** Where the study can do without it: its minimum of sites is the steward's to mind. */
function resign(hand: Hand, site: SimSite): void {
  const { world } = hand
  const members = world.sites.length - world.gone.size
  if (members - 1 < world.chain.contracts.studies.rulesOf(studyNow(world)).minSites) {
    hand.spare(`site ${site.id} (resigned)`)
    return
  }
  world.gone.add(site.id)
  world.casualties.fall(site.id, 'it has left')
  hand.note(site, 'its steward ends its membership')
  void world
    .steward(site)
    .membership()
    .resign(site.id)
    .catch(() => undefined)
}

function withdrawPatient(hand: Hand, site: SimSite): void {
  const { world, random } = hand
  site.cohort.withdrawHere(random.pick(site.cohort.tags.train) as Digest)
  world.withdrawals.push({ site: site.id, atMs: world.time.nowMs })
  hand.note(site, 'one of its patients withdraws')
}

/** The node stops; a person sees it, mends the endpoint and starts the node again. */
function showAnotherChain(hand: Hand, site: SimSite, lastsMs: number): void {
  site.trouble.endpoint = { kind: 'other-chain' }
  hand.world.expectStop(site.id, 'ROTA-5005')
  hand.lasts(site, 'its endpoint shows another chain', lastsMs, () => {
    site.trouble.endpoint = { kind: 'up' }
    hand.powers.kill(site, 'a person starts its node again', 0)
  })
}
