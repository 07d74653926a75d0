/** What is known of a file before it runs: only the order, and who runs beside whom, hangs on it. */
export interface Known {
  /** About how long it takes on two quiet cores. */
  readonly seconds: number
  /** Uses less than half a core: its networks wait for blocks and limits. */
  readonly waits: boolean
}

const works = (seconds: number): Known => ({ seconds, waits: false })
const waits = (seconds: number): Known => ({ seconds, waits: true })

/** Jobs that take longer than a few seconds, by group or path. */
export const LONG: Readonly<Record<string, Known>> = {
  contracts: works(60),
  check: works(17),
  'test/rounds/chaos.test.ts': works(95),
  'test/e2e/chain-consortium.test.ts': waits(96),
  'test/e2e/chaos-folders.test.ts': waits(85),
  'test/e2e/chaos-kills.test.ts': waits(85),
  'test/e2e/chaos-liars.test.ts': waits(45),
  'test/e2e/chaos-lines.test.ts': waits(95),
  'test/e2e/chaos-rare-rows.test.ts': waits(95),
  'test/e2e/chaos-seven.test.ts': waits(80),
  'test/e2e/chaos-slices.test.ts': waits(40),
  'test/e2e/come-and-go.test.ts': waits(80),
  'test/e2e/chaos-masked.test.ts': waits(60),
  'test/e2e/chaos-lines-masked.test.ts': waits(60),
  'test/e2e/groups.test.ts': works(80),
  'test/e2e/kills.test.ts': waits(75),
  'test/e2e/masked.test.ts': waits(50),
  'test/compliance/chain-endpoints.test.ts': waits(40),
  'test/compliance/chain-finality.test.ts': waits(29),
  'test/compliance/chain-hardhat.test.ts': waits(5),
  'test/compliance/chain-differential.test.ts': works(38),
  'test/compliance/store.test.ts': works(7),
  'test/e2e/audit-chain.test.ts': works(6),
  'test/e2e/bad-input.test.ts': works(25),
  'test/e2e/canary.test.ts': works(35),
  'test/e2e/demo.test.ts': works(80),
  'test/e2e/site-commands.test.ts': works(50),
  'test/e2e/kubo.test.ts': works(14),
  'test/e2e/kubo-page.test.ts': works(9),
  'test/e2e/no-leak.test.ts': works(12),
  'test/e2e/opened-anew.test.ts': works(25),
  'test/attacks/linking.test.ts': works(9),
  'test/attacks/withdrawal-schedules.test.ts': works(30),
  'test/e2e/programme.test.ts': waits(28),
  'test/e2e/unlearn.test.ts': waits(30),
  'test/unit/fhir/at-site.test.ts': works(9),
  'test/unit/desk/desk.test.ts': works(10),
  'test/unit/desk/sign-in.test.ts': works(6),
  'test/unit/network/canary-round.test.ts': works(8),
  'test/unit/network/canary.test.ts': works(5),
  'test/unit/app/backup.test.ts': works(6),
  'test/unit/coverage/measure.test.ts': works(5),
  'test/web/check-page.test.ts': waits(25),
  'test/web/desk.test.ts': works(12),
  'test/web/patient-page.test.ts': waits(45),
  'test/web/relay-process.test.ts': waits(10),
  'test/rounds/catching-up.test.ts': works(7),
  'test/rounds/chaos-faults.test.ts': works(5),
  'test/rounds/faults.test.ts': works(10),
  'test/rounds/slices.test.ts': works(6),
  'test/unit/app/keys.test.ts': works(12),
  'test/unit/cli/main.test.ts': works(12),
}

const SHORT: Known = works(4)

/** Names have slashes on every system. */
export const knownOf = (name: string): Known => LONG[name.replaceAll('\\', '/')] ?? SHORT
