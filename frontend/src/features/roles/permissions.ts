import type { Permission } from './queries'

export interface Group {
  name: string
  label: string
  permissions: Permission[]
}

/** `events:read` and `events:write` stand together; the groups keep the order in which the API has them. */
export function grouped(permissions: readonly Permission[]): Group[] {
  const groups = new Map<string, Group>()
  for (const permission of permissions) {
    const name = permission.name.split(':')[0] ?? ''
    const label = name === 'keys' ? 'API keys' : name.charAt(0).toUpperCase() + name.slice(1)
    const group = groups.get(name) ?? { name, label, permissions: [] }
    group.permissions.push(permission)
    groups.set(name, group)
  }
  return [...groups.values()]
}
