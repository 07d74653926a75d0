type Labels = Readonly<Record<string, string | number>>
type Kind = 'counter' | 'gauge' | 'histogram'

/** One named figure; each set of labels has a value of its own. */
interface Family {
  readonly kind: Kind
  readonly help: string
  /** The lines of this family, without HELP and TYPE. */
  lines(name: string): string[]
}

export interface Counter {
  add(amount?: number, labels?: Labels): void
  /** For totals that are counted elsewhere, such as the bytes that an adapter moved: never goes down. */
  set(total: number, labels?: Labels): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
  /** Forgets all label sets, for figures whose labels come and go. */
  clear(): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/**
 * Figures for Prometheus, in its text format 0.0.4. Label values are never a patient's, nor free text from outside.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export class Metrics {
  readonly #families = new Map<string, Family>()
  readonly #collectors: (() => void | Promise<void>)[] = []

  /** Something that only grows; by custom its name ends in `_total`. */
  counter(name: string, help: string): Counter {
    const values = this.#values('counter', name, help)
    return {
      add: (amount = 1, labels = {}) => void values.set(keyOf(labels), (values.get(keyOf(labels)) ?? 0) + amount),
      set: (total, labels = {}) => void values.set(keyOf(labels), Math.max(total, values.get(keyOf(labels)) ?? 0)),
    }
  }

  gauge(name: string, help: string): Gauge {
    const values = this.#values('gauge', name, help)
    return { set: (value, labels = {}) => void values.set(keyOf(labels), value), clear: () => values.clear() }
  }

  /** @param buckets upper bounds in ascending order, without infinity */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    const series = new Map<string, Series>()
    this.#add(name, { kind: 'histogram', help, lines: (n) => [...series].flatMap(([labels, s]) => s.lines(n, labels)) })
    return {
      observe(value, labels = {}) {
        const key = keyOf(labels)
        const found = series.get(key) ?? new Series(buckets)
        series.set(key, found)
        found.observe(value)
      },
    }
  }

  /** Called before each scrape, to set figures that are only looked up when asked for. */
  onCollect(collect: () => void | Promise<void>): void {
    this.#collectors.push(collect)
  }

  /** A collector that fails costs its own figures and no others. */
  async text(): Promise<string> {
    await Promise.allSettled(this.#collectors.map(async (collect) => collect()))
    const lines = [...this.#families].flatMap(([name, f]) => [`# HELP ${name} ${escapeText(f.help)}`, `# TYPE ${name} ${f.kind}`, ...f.lines(name)])
    return `${lines.join('\n')}\n`
  }

  #values(kind: Kind, name: string, help: string): Map<string, number> {
    const values = new Map<string, number>()
    this.#add(name, { kind, help, lines: (n) => [...values].map(([labels, value]) => `${n}${braces(labels)} ${number(value)}`) })
    return values
  }

  #add(name: string, family: Family): void {
    if (this.#families.has(name)) throw new TypeError(`metric ${name} is declared twice`)
    this.#families.set(name, family)
  }
}

class Series {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count += 1
    for (const [i, bound] of this.#bounds.entries()) if (value <= bound) this.#counts[i] = (this.#counts[i] ?? 0) + 1
  }

  lines(name: string, labels: string): string[] {
    const bucket = (le: string, count: number) => `${name}_bucket${braces([labels, `le="${le}"`].filter((part) => part !== '').join(','))} ${count}`
    const buckets = this.#bounds.map((bound, i) => bucket(number(bound), this.#counts[i] ?? 0))
    return [...buckets, bucket('+Inf', this.#count), `${name}_sum${braces(labels)} ${number(this.#sum)}`, `${name}_count${braces(labels)} ${this.#count}`]
  }
}

const keyOf = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeText(String(value)).replaceAll('"', '\\"')}"`)
    .join(',')

const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`)
const escapeText = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const number = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
