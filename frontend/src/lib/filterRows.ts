/* Filters as a form has them: rows of conditions. `filters.ts` reads and writes them as dialects, `cesqlRows.ts` as CESQL. */

export type Operator = 'is' | 'one' | 'not' | 'prefix' | 'suffix' | 'present' | 'absent' | 'other' | 'equals' | 'below' | 'most' | 'least' | 'above'

export const OPERATORS: { value: Operator; label: string }[] = [
  { value: 'is', label: 'is' },
  { value: 'one', label: 'is one of' },
  { value: 'not', label: 'is not' },
  { value: 'prefix', label: 'starts with' },
  { value: 'suffix', label: 'ends with' },
  { value: 'present', label: 'is present' },
  { value: 'absent', label: 'is absent' },
  { value: 'other', label: 'is there, not' },
  { value: 'equals', label: 'equals' },
  { value: 'below', label: 'is below' },
  { value: 'most', label: 'is at most' },
  { value: 'least', label: 'is at least' },
  { value: 'above', label: 'is above' },
]

const NUMERIC = new Set<Operator>(['equals', 'below', 'most', 'least', 'above'])

/** Whether an operator compares whole numbers. */
export function isNumeric(operator: Operator): boolean {
  return NUMERIC.has(operator)
}

/** Whether an operator asks only whether the attribute is there, so that there is no value to give. */
export function isBare(operator: Operator): boolean {
  return operator === 'present' || operator === 'absent'
}

export interface Condition {
  kind: 'condition'
  attribute: string
  operator: Operator
  /** More than one only for `one`, none for `present` and `absent`. */
  values: string[]
  /** The dialect object that was read, which stays as it is while it means the same. */
  kept?: Dialect
}

export interface Group {
  kind: 'group'
  /** `any`: at least one holds; `none`: not one holds. */
  mode: 'any' | 'none'
  conditions: Condition[]
}

export type Row = Condition | Group
export type Dialect = Record<string, unknown>

export function newCondition(attribute = 'type'): Condition {
  return { kind: 'condition', attribute, operator: 'is', values: [''] }
}
