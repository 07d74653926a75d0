import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import type { Feature, Protocol } from '#core/protocol/protocol.ts'
import type { CellReader } from './cells.ts'
import { columnFor, type Mapping, wantedNames } from './mapping.ts'
import { conversion } from './units.ts'

/** Which cell of a line is what: made once per file, before the first row. */
export interface RowPlan {
  readonly features: readonly PlannedColumn[]
  readonly label: PlannedColumn
  readonly patient: Place | null
  readonly set: Place | null
  readonly only: (Place & { readonly value: string }) | null
}

export interface PlannedColumn extends Place {
  /** Name in the protocol. */
  readonly name: string
  readonly reader: CellReader
  readonly missing: Feature['missing']
}

export interface Place {
  readonly column: string
  readonly index: number
}

/** @throws ROTA-3006 missing column, 3007 and 3008 units, 3030 the mapping names what the protocol does not */
export function planRows(columns: readonly string[], file: string, mapping: Mapping, protocol: Protocol): RowPlan {
  const wanted = wantedNames(protocol)
  for (const name of Object.keys(mapping.columns)) {
    if (!wanted.includes(name)) throw new RotaError('ROTA-3030', { file: mapping.file, name, nearest: nearest(name, wanted) })
  }
  const find = (column: string): Place => {
    const index = columns.indexOf(column)
    if (index < 0) throw new RotaError('ROTA-3006', { file, column, nearest: nearest(column, columns) })
    return { column, index }
  }
  const taken = new Set(wanted.map((name) => columnFor(mapping, name)))
  const optional = (told: string | null, usual: string): Place | null => {
    if (told !== null) return find(told)
    return columns.includes(usual) && !taken.has(usual) ? find(usual) : null
  }
  return {
    features: protocol.features.map((f) => ({
      name: f.name,
      ...find(columnFor(mapping, f.name)),
      reader: readerFor(f, mapping),
      missing: missingRule(f, protocol),
    })),
    label: {
      name: protocol.label.name,
      ...find(columnFor(mapping, protocol.label.name)),
      reader: labelReader(protocol, mapping),
      missing: labelRule(protocol),
    },
    patient: optional(mapping.patient, 'patient'),
    set: optional(mapping.set, 'set'),
    only: mapping.only === null ? null : { ...find(mapping.only.column), value: mapping.only.value },
  }
}

/** How a column's cells become numbers in the protocol's unit. */
export function readerFor(wanted: { readonly name: string; readonly unit: string; readonly range: readonly [number, number] }, mapping: Mapping): CellReader {
  const { unit = wanted.unit, codes, substance } = mapping.columns[wanted.name] ?? {}
  return {
    missing: new Set(mapping.missing),
    decimal: mapping.decimal,
    codes,
    conversion: conversion(wanted.name, unit, wanted.unit, substance),
    range: wanted.range,
    unit: wanted.unit,
  }
}

/** A binary label is checked as a whole column (three values have one error of their own), so any number passes here. */
function labelReader(protocol: Protocol, mapping: Mapping): CellReader {
  const reader = readerFor(protocol.label, mapping)
  return protocol.label.kind === 'binary' ? { ...reader, range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } : reader
}

/** A statistics study counts missing values (as NaN) where another would fill them in or leave the row out. */
function missingRule(feature: Feature, protocol: Protocol): Feature['missing'] {
  return protocol.learner.kind === 'statistics' && feature.missing !== 'refuse' ? { fill: Number.NaN } : feature.missing
}

const labelRule = (protocol: Protocol): Feature['missing'] => (protocol.learner.kind === 'statistics' ? { fill: Number.NaN } : 'refuse')
