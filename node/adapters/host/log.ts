import { closeSync, openSync, writeSync } from 'node:fs'
import { RotaError } from '#base/errors.ts'
import type { Clock, Log, LogFields } from '#ports/host.ts'
import { formatLine, LOG_LEVELS, type LogFormat, type LogLevel, recordOf } from './log-line.ts'

export interface LogOptions {
  readonly format: LogFormat
  /** Appended to, with mode 0600; without it lines go to standard error. */
  readonly file?: string
  /** Default info. */
  readonly level?: LogLevel
  /** For tests: takes each line in place of a file or standard error. */
  readonly write?: (line: string) => void
}

export interface HostLog extends Log {
  /** Opens the file again under its name, after log rotation has moved the old one away. */
  reopen(): void
  /** How many fields were left out because their names are not on the allow-list. */
  droppedFields(): number
  close(): void
}

/** @throws ROTA-1304 when the file cannot be opened */
export function createLog(clock: Pick<Clock, 'nowMs'>, options: LogOptions): HostLog {
  const sink = options.write ? { write: options.write, reopen() {}, close() {} } : fileSink(options.file)
  const lowest = LOG_LEVELS.indexOf(options.level ?? 'info')
  let dropped = 0
  const at = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(level) < lowest) return
    const made = recordOf(clock.nowMs(), level, event, fields)
    dropped += made.dropped
    sink.write(`${formatLine(made.record, options.format)}\n`)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    reopen: () => sink.reopen(),
    droppedFields: () => dropped,
    close: () => sink.close(),
  }
}

const STDERR = 2

function fileSink(file: string | undefined) {
  let fd = file === undefined ? STDERR : openLog(file)
  const close = () => {
    if (fd > STDERR) closeSync(fd)
    fd = STDERR
  }
  return {
    /** A full disk or closed pipe must not stop a round: the line is lost, the work is not. */
    write(line: string) {
      try {
        writeSync(fd, line)
      } catch {}
    },
    reopen() {
      if (file === undefined) return
      const fresh = openLog(file)
      close()
      fd = fresh
    },
    close,
  }
}

function openLog(file: string): number {
  try {
    return openSync(file, 'a', 0o600)
  } catch (cause) {
    throw new RotaError('ROTA-1304', { file }, cause)
  }
}
