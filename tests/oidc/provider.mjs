// A real provider (npm's certified oidc-provider) on a free port of 127.0.0.1, with its own pages to sign in and consent.
// Its first line on stdout is {"issuer"}. It ends with its stdin.
//
// Whoever signs in names themselves, with any password: `ann@example.org` has that address, verified; a part before a
// colon makes them somebody else (`2:ann@example.org`), and `unverified:` says what it says; without @ there is no address.
import { createServer } from 'node:http'

import { Provider } from 'oidc-provider'

const client = JSON.parse(process.env.OIDC_CLIENT ?? '{}')
const server = createServer()
await new Promise((resolve) => server.listen(Number(process.env.OIDC_PORT ?? 0), '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'weir',
      client_secret: 'a secret: of/weir+alone%',
      redirect_uris: ['http://127.0.0.1/sign-in/oidc'],
      ...client,
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  pkce: { required: () => true },
  // What the provider's answers have in them beside the subject is told at the userinfo endpoint, as the standard has it.
  conformIdTokenClaims: process.env.OIDC_IN_ID_TOKEN !== '1',
  ...(client.token_endpoint_auth_method ? { clientAuthMethods: [client.token_endpoint_auth_method] } : {}),
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => {
    const [address, ...before] = id.split(':').reverse()
    return {
      accountId: id,
      claims: () => ({
        sub: id,
        ...(address.includes('@') ? { email: address, email_verified: !before.includes('unverified') } : {}),
        name: address.split('@')[0],
      }),
    }
  },
})
// Weir of a test is at a port of its own.
provider.Client.prototype.redirectUriAllowed = (uri) => /^https?:\/\/[^/]+\/sign-in\/oidc$/.test(uri)

server.on('request', provider.callback())
console.log(JSON.stringify({ issuer }))
process.stdin.resume().on('end', () => process.exit(0))
