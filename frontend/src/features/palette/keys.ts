import { places, settingsPlaces } from '@/app/navigation'

/** What a page tells of its keys: the keys, and what they do. */
export interface KeyGroup {
  label: string
  keys: { press: string[]; then?: boolean; does: string }[]
}

/** All keys of the console; `modifier` is the one of this machine. */
export function keyGroups(modifier: string): KeyGroup[] {
  const pages = [...places, ...settingsPlaces].flatMap(({ key, label }) => (key ? [{ press: ['g', key], then: true, does: label }] : []))
  return [
    {
      label: 'Anywhere',
      keys: [
        { press: [modifier, 'K'], does: 'Search or jump' },
        { press: ['?'], does: 'These keys' },
        { press: ['esc'], does: 'Close what is open' },
      ],
    },
    {
      label: 'In a list',
      keys: [
        { press: ['j'], does: 'Next row' },
        { press: ['k'], does: 'Row before' },
        { press: ['↵'], does: 'Open the row' },
        { press: ['x'], does: 'Check the row' },
        { press: ['/'], does: 'Search' },
        { press: ['f'], does: 'Facets of events' },
      ],
    },
    { label: 'Go to', keys: pages },
  ]
}
