import { attemptNo, type Bitmap, roundNo, runId, studyId } from '#base/ids.ts'
import type { Chain } from '#ports/chain.ts'
import { encodeAnnounce } from '#wire/announce.ts'
import type { SimGossip } from './gossip.ts'
import { digestOf } from './hash.ts'
import type { Life } from './life.ts'
import type { SimRandom } from './random.ts'
import type { SimTime } from './time.ts'

const SHORTEST_MS = 200
const LONGEST_MS = 3_000
const REPORTS_MS = [3_000, 30_000] as const
const RUN = runId(1)
const STUDY = studyId(1)

interface SpamTools {
  readonly life: Life
  readonly time: SimTime
  readonly random: SimRandom
  readonly strike: () => void
}

/** Messages that are none, that come again and again, and that belong to other rounds. */
export function spamGossip(gossip: SimGossip, tools: SpamTools): void {
  const { random } = tools
  const stray = () => {
    const name = digestOf('spam', random.int(0, 1_000_000))
    return encodeAnnounce({
      kind: 'update',
      run: RUN,
      round: roundNo(random.int(0, 12)),
      attempt: attemptNo(0),
      root: name,
      cid: name,
      inline: random.bytes(random.int(0, 500)),
    })
  }
  const again = stray()
  const kinds = [() => random.bytes(random.int(0, 2_000)), stray, () => again]
  nowAndThen(tools, () => void gossip.publish(random.pick(kinds)()))
}

/** Calls that the contracts refuse, and ticks: each makes a block where blocks are instant. */
export function spamChain(chain: Chain, tools: SpamTools): void {
  const { random } = tools
  const name = () => digestOf('spam', random.int(0, 1_000_000))
  const round = () => roundNo(random.int(0, 12))
  const calls: readonly (() => Promise<unknown>)[] = [
    () => chain.tick(RUN),
    () => chain.tick(runId(99)),
    () => chain.ready(RUN),
    () => chain.witness(RUN, round(), random.int(0, 3), BigInt(random.int(0, 1_000)) as Bitmap),
    () => chain.publish(RUN, round(), attemptNo(random.int(0, 5)), name(), name()),
    () => chain.attest(RUN, round(), attemptNo(random.int(0, 5)), { root: name(), cid: name() }, 'continue', name()),
    () => chain.audit(0, name()),
  ]
  nowAndThen(
    tools,
    () =>
      void random
        .pick(calls)()
        .catch(() => undefined),
  )
}

/** Each report of a good key makes another member draw the next one. */
export function reportKeys(chain: Chain, tools: SpamTools): void {
  const report = async (): Promise<void> => {
    const { epoch } = (await chain.study(STUDY)).epoch
    await chain.reportEpoch(STUDY, epoch)
  }
  nowAndThen(tools, () => void report().catch(() => undefined), REPORTS_MS)
}

function nowAndThen(tools: SpamTools, act: () => void, [shortestMs, longestMs]: readonly [number, number] = [SHORTEST_MS, LONGEST_MS]): void {
  const { life, time, random, strike } = tools
  time.after(random.int(shortestMs, longestMs), () => {
    if (!life.alive) return
    strike()
    act()
    nowAndThen(tools, act, [shortestMs, longestMs])
  })
}
