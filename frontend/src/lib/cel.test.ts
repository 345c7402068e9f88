import { expect, it } from 'vitest'

import { celFrom } from './cel'

it.each([
  ["type = 'a'", "type == 'a'"],
  ["type = 'a' AND data.total > 100", "type == 'a'\n&& data.total > 100"],
  ["data['a b'].c <> 'x'", "data['a b'].c != 'x'"],
  ["type IN ('a', 'b') AND region <> 'us'", "type in ['a', 'b']\n&& event.region != 'us'"],
  ["subject LIKE 'orders/%'", "subject.startsWith('orders/')"],
  ["subject LIKE '%\\%'", "subject.endsWith('%')"],
  ["subject NOT LIKE 'a_c.%'", "!(subject.matches('^a.c\\\\..*$'))"],
  ["(NOT EXISTS region OR region <> 'us')", "(!has(event.region) || event.region != 'us')"],
  ["NOT ((EXISTS n AND STRING(n) = '5') OR type = 'b')", "!((has(event.n) && string(event.n) == '5') || type == 'b')"],
  ['INT(n) <= 40', 'int(event.n) <= 40'],
  ["a = '1' OR b = '2' AND c = '3'", "(event.a == '1' || event.b == '2')\n&& event.c == '3'"],
  ["id = 'it\\'s'", "id == 'it\\'s'"],
  ["CONCAT('a', id) = 'ab'", ''],
  ['type =', ''],
])('says %s in CEL', (cesql, cel) => {
  expect(celFrom(cesql)).toBe(cel)
})
