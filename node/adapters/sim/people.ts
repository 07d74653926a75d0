import { has, sizeOf } from '#base/bitmap.ts'
import { type Digest, type StudyId, studyId } from '#base/ids.ts'
import type { Acts, Hand } from './hand.ts'
import type { SimSite } from './site.ts'
import type { SimWorld } from './world.ts'

type Kinds = 'rest' | 'approval-withdrawn' | 'study-stopped' | 'resign' | 'new-account' | 'admission' | 'withdrawal' | 'other-chain'

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
  'new-account': ({ who, role, lastsMs }) => hand.at(who, 'another account', (site) => void replaceAccount(hand, site, role, lastsMs)),
  admission: ({ lastsMs }) => void admit(hand, lastsMs),
  withdrawal: ({ who }) => withdrawPatient(hand, hand.siteOf(who)),
  'other-chain': ({ who, lastsMs }) => hand.at(who, 'another chain', (site) => showAnotherChain(hand, site, lastsMs)),
})

const LOOK_MS = 500
const AGAIN_MS = 5_000

/** In trouble until it stands in the rota of a round that would open now: a key has to be drawn first. */
async function withdrawApproval(hand: Hand, site: SimSite, lastsMs: number): Promise<void> {
  const { world } = hand
  const over = world.casualties.fall(site.id, 'its steward has taken it out of the study')
  hand.note(site, 'its steward takes it out of the study')
  await world
    .steward(site)
    .studyDesk()
    .withdrawSite(studyNow(world))
    .catch(() => undefined)
  await world.time.sleep(lastsMs)
  await approve(hand, site)
  over()
}

/** Until the site would be in the rota of a round that opened now. */
async function approve(hand: Hand, site: SimSite): Promise<void> {
  const { world } = hand
  const study = studyNow(world)
  const { protocolDigest } = world.chain.study(study)
  for (;;) {
    const desk = world.steward(site).studyDesk()
    await desk.approve(study, protocolDigest).catch(() => undefined)
    if (has(world.chain.contracts.studies.membersNow(study), site.id) || world.gone.has(site.id)) break
    await world.time.sleep(AGAIN_MS)
  }
  hand.note(site, 'its steward has approved the study')
  while (!has(world.chain.contracts.studies.rotaNow(study).sites, site.id)) await world.time.sleep(LOOK_MS)
}

/** As `rota key rotate` does it: the node does not run, and takes the new account once it stands on chain. */
async function replaceAccount(hand: Hand, site: SimSite, role: 'node' | 'steward', lastsMs: number): Promise<void> {
  const { world } = hand
  const why = `its node is stopped for another account of its ${role}`
  const over = world.casualties.fall(site.id, why)
  hand.note(site, why)
  world.crash(site)
  await world.time.sleep(lastsMs)
  const account = site.nextAccount(role)
  const desk = world.steward(site).membership()
  await (role === 'node' ? desk.rotateNode(site.id, account) : desk.rotateSteward(site.id, account))
  site.takeAccount(role, account)
  over()
  hand.note(site, 'starts again, with the new account')
  world.restart(site)
}

/** It asks, all stewards vote for it, its node starts, and its own steward approves the study. A chain that goes back may take votes with it. */
async function admit(hand: Hand, lastsMs: number): Promise<void> {
  const { world } = hand
  const site = world.joining
  if (site === null) return
  const { sites } = world.chain.contracts
  hand.note(site, 'asks to be admitted')
  while (!world.chain.contracts.sites.isActive(site.id)) {
    await world
      .node(site)
      .membership()
      .requestAdmission(site.details)
      .catch(() => undefined)
    for (const member of world.founders)
      await world
        .steward(member)
        .membership()
        .vote(sites.proposals, true)
        .catch(() => undefined)
    await world.time.sleep(AGAIN_MS)
  }
  hand.note(site, 'is admitted')
  await world.time.sleep(lastsMs)
  world.restart(site)
  await approve(hand, site)
  world.joined()
}

const studyNow = ({ chain }: SimWorld): StudyId => chain.contracts.coordinator.runs.at(-1)?.study ?? studyId(1)

/** Where the study can do without it: its minimum of sites is the steward's to mind. */
function resign(hand: Hand, site: SimSite): void {
  const { world } = hand
  const members = sizeOf(world.chain.contracts.sites.active)
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
  // Whoever withdrew already changes nothing by doing so again.
  site.cohort.withdrawHere(random.pick(site.cohort.staying) as Digest)
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
