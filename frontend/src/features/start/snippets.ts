export type Language = 'curl' | 'weir' | 'python'

export const LANGUAGES: { value: Language; label: string }[] = [
  { value: 'curl', label: 'curl' },
  { value: 'weir', label: 'weir' },
  { value: 'python', label: 'Python' },
]

/** A first event in some language, with the real address. */
export function snippet(language: Language, url: string, project: string): string {
  if (language === 'weir') {
    return [`weir emit -t com.acme.order.created -s /laptop --id first-1 \\`, `  -d '{"order": "A-1", "total": {"amount": 49.00, "currency": "EUR"}}' \\`, `  --wait 10s`].join('\n')
  }
  if (language === 'python') {
    return `import json, os, urllib.request

request = urllib.request.Request(
    "${url}/in/${project}",
    json.dumps({"order": "A-1"}).encode(),
    {
        "Authorization": "Bearer " + os.environ["WEIR_KEY"],
        "ce-specversion": "1.0", "ce-id": "first-1",
        "ce-type": "com.acme.order.created", "ce-source": "/laptop",
        "content-type": "application/json",
    },
)
print(urllib.request.urlopen(request).status)`
  }
  return `curl ${url}/in/${project} \\
  -H "Authorization: Bearer $WEIR_KEY" \\
  -H 'ce-specversion: 1.0' -H 'ce-id: first-1' \\
  -H 'ce-type: com.acme.order.created' -H 'ce-source: /laptop' \\
  -H 'content-type: application/json' \\
  -d '{"order": "A-1", "total": {"amount": 49.00, "currency": "EUR"}}'`
}
