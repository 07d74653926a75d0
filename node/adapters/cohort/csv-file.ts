import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { CsvError, parse } from 'csv-parse'
import { RotaError } from '#base/errors.ts'

export interface CsvRow {
  /** 1-based line of the file where the row ends; what a person sees in an editor. */
  readonly line: number
  readonly cells: readonly string[]
}

export interface CsvFile {
  readonly columns: readonly string[]
  readonly delimiter: string
  readonly rows: AsyncIterable<CsvRow>
}

const DELIMITERS = [',', ';', '\t', '|'] as const
const PIECE_BYTES = 256 * 1024
const ROWS_A_TURN = 500

/**
 * Opens a CSV file: UTF-8 with or without BOM, LF or CRLF, quoted text, separator told or found in the header.
 * Rows come as they are asked for, so that a large file does not hold up the node.
 * @throws ROTA-3001 unreadable, 3002 empty, 3015 header, 3016 not UTF-8, 3023 no separator; while reading 3003 ragged row, 3017 quotation marks
 */
export async function openCsv(file: string, told: string | null = null): Promise<CsvFile> {
  const bytes = await readFile(file).catch((cause) => {
    throw new RotaError('ROTA-3001', { file, reason: String((cause as NodeJS.ErrnoException).code ?? 'unknown') })
  })
  if (!isUtf8(bytes)) throw new RotaError('ROTA-3016', { file })
  if (bytes.includes(0)) throw new RotaError('ROTA-3016', { file })
  const header = firstLine(bytes.toString('utf8', 0, PIECE_BYTES))
  if (header === '') throw new RotaError('ROTA-3002', { file })
  const delimiter = told ?? delimiterOf(header, file)
  const records = parseRecords(bytes, delimiter, file)
  const first = await records.next()
  if (first.done) throw new RotaError('ROTA-3002', { file })
  const columns = checkedHeader(first.value.cells, file)
  return { columns, delimiter, rows: evenRows(records, columns.length, file) }
}

async function* parseRecords(bytes: Buffer, delimiter: string, file: string): AsyncGenerator<CsvRow, undefined> {
  const parser = parse({ bom: true, delimiter, trim: true, info: true, relax_column_count: true, skip_empty_lines: true })
  Readable.from(pieces(bytes)).pipe(parser)
  let line = 1
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      line = info.lines
      yield { line, cells: record }
    }
  } catch (cause) {
    // The parser's own error quotes the row: only its line goes on.
    if (!(cause instanceof CsvError)) throw cause
    const at = (cause as CsvError & { lines?: number }).lines
    throw new RotaError('ROTA-3017', { file, line: at ?? line + 1 })
  }
}

async function* evenRows(records: AsyncGenerator<CsvRow, undefined>, expected: number, file: string): AsyncGenerator<CsvRow, undefined> {
  let read = 0
  for await (const row of records) {
    if (++read % ROWS_A_TURN === 0) await turn() // the parser alone would hold timers and sockets up to the end
    if (row.cells.length !== expected) throw new RotaError('ROTA-3003', { file, line: row.line, found: row.cells.length, expected })
    yield row
  }
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES)
}

function checkedHeader(cells: readonly string[], file: string): readonly string[] {
  cells.forEach((name, i) => {
    if (name === '' || cells.indexOf(name) !== i) throw new RotaError('ROTA-3015', { file, position: i + 1 })
  })
  return cells
}

const firstLine = (text: string): string =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n|\r/)
    .find((line) => line.trim() !== '')
    ?.trim() ?? ''

/** The separator that occurs most often outside quotes; a file of one column has none and needs no other. */
function delimiterOf(header: string, file: string): string {
  const bare = header.replace(/"[^"]*"/g, '')
  const counted = DELIMITERS.map((sign) => ({ sign, count: bare.split(sign).length - 1 })).sort((a, b) => b.count - a.count)
  const best = counted[0]
  if (best === undefined || best.count === 0) {
    if (/\s/.test(bare.trim())) throw new RotaError('ROTA-3023', { file })
    return ','
  }
  return best.sign
}
