import { watchDesk } from '../../node/app/desk/desk-figures.ts'
import { watchPortal } from '../../node/app/portal/relay-figures.ts'
import { watchBudgets } from '../../node/app/privacy/budget-gauges.ts'
import { Metrics } from '../../node/web/metrics.ts'
import { nodeMetrics } from '../../node/web/node-metrics.ts'
import { markdownTable } from './markdown.ts'

/** Every figure that /metrics serves, from its own HELP and TYPE lines. */
export async function metricsTable(): Promise<string> {
  const metrics = new Metrics()
  nodeMetrics(metrics, '.')
  watchDesk(metrics, { deskFigures: '' })
  watchPortal(metrics, { portalFigures: '' })
  watchBudgets(metrics, { chain: { studies: async () => [] } } as never)
  const lines = (await metrics.text()).split('\n')
  const kinds = new Map(lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ').slice(2) as [string, string]))
  const helps = lines.filter((line) => line.startsWith('# HELP ')).map((line) => /^# HELP (\S+) (.*)$/.exec(line)?.slice(1) as [string, string])
  return markdownTable(
    ['name', 'kind', 'what'],
    helps.map(([name, help]) => [`\`${name}\``, kinds.get(name) ?? '', help]),
  )
}
