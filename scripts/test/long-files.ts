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
  contracts: works(90),
  check: works(17),
  'test/rounds/chaos.test.ts': works(110),
  'test/e2e/chain-consortium.test.ts': waits(96),
  'test/e2e/chaos-folders.test.ts': waits(85),
  'test/e2e/chaos-kills.test.ts': waits(80),
  'test/e2e/chaos-liars.test.ts': waits(45),
  'test/e2e/chaos-lines.test.ts': waits(90),
  'test/e2e/chaos-rare-rows.test.ts': waits(85),
  'test/e2e/chaos-seven.test.ts': waits(70),
  'test/e2e/chaos-slices.test.ts': waits(40),
  'test/e2e/come-and-go.test.ts': waits(80),
  'test/e2e/kills.test.ts': waits(70),
  'test/compliance/chain-endpoints.test.ts': waits(36),
  'test/compliance/chain-finality.test.ts': waits(29),
  'test/compliance/chain-differential.test.ts': works(44),
  'test/e2e/bad-input.test.ts': works(24),
  'test/e2e/canary.test.ts': works(50),
  'test/e2e/demo.test.ts': works(65),
  'test/e2e/site-commands.test.ts': works(40),
  'test/e2e/kubo.test.ts': works(14),
  'test/e2e/no-leak.test.ts': works(10),
  'test/attacks/linking.test.ts': works(9),
  'test/attacks/withdrawal-schedules.test.ts': works(50),
  'test/e2e/programme.test.ts': waits(30),
  'test/e2e/unlearn.test.ts': waits(25),
  'test/unit/fhir/at-site.test.ts': works(9),
  'test/web/patient-page.test.ts': waits(45),
  'test/web/relay-process.test.ts': waits(16),
  'test/rounds/catching-up.test.ts': works(18),
  'test/rounds/faults.test.ts': works(24),
  'test/rounds/slices.test.ts': works(11),
  'test/unit/app/keys.test.ts': works(22),
  'test/unit/cli/main.test.ts': works(10),
}

const SHORT: Known = works(4)

/** Names have slashes on every system. */
export const knownOf = (name: string): Known => LONG[name.replaceAll('\\', '/')] ?? SHORT
