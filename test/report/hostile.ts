/** Names that try to leave the text that they are. None is a name that AWS or Kubernetes allows; a file may hold any. */
export const HOSTILE: readonly string[] = [
  "</script><script>window.ran = 1</script>",
  "<!--<script>window.ran = 2</script>",
  "<img src=x onerror=window.ran=3>",
  "\"><svg onload='window.ran = 4'>",
  "' onmouseover='window.ran=5' autofocus onfocus='window.ran=5",
  "javascript:window.ran=6",
  "</title></textarea></style></noscript><iframe srcdoc='<script>parent.ran=7</script>'>",
  "<a href=//example.com/x>x</a><link rel=stylesheet href=//example.com/y><base href=//example.com/>",
  "{{constructor.constructor('window.ran=8')()}}",
  "\u2028window.ran=9\u2029//",
  "]]><![CDATA[<script>window.ran=10</script>",
  "&lt;script&gt;window.ran=11&lt;/script&gt;",
  "__proto__",
  "\u0000<script\u0000>window.ran=12</script>",
  "\ud800<script>window.ran=13</script>",
];
