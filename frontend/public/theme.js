// Runs before the first paint so that a chosen theme does not flash. Kept apart from the bundle: the policy of the
// page forbids inline scripts.
;(function () {
  var chosen = null
  try {
    chosen = localStorage.getItem('weir.theme')
  } catch {
    chosen = null
  }
  var dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
