local function sieve(n) local p, out = {}, {} for i = 2, n do if not p[i] then out[#out + 1] = i for j = i * i, n, i do p[j] = true end end end return out end
local s = sieve(100) print(#s, table.concat(s, " ", 1, 10), s[#s])
local function gcd(a, b) while b ~= 0 do a, b = b, a % b end return a end print(gcd(48, 18), gcd(17, 5), gcd(0, 7))
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end print(fib(18))
local memo = {} local function mfib(n) if n < 2 then return n end if not memo[n] then memo[n] = mfib(n - 1) + mfib(n - 2) end return memo[n] end print(mfib(80), mfib(90))
local function collatz(n) local c = 0 while n ~= 1 do n = n % 2 == 0 and n // 2 or 3 * n + 1 c = c + 1 end return c end print(collatz(27), collatz(97))
local function pow(b, e, m) local r = 1 while e > 0 do if e & 1 == 1 then r = r * b % m end b = b * b % m e = e >> 1 end return r end print(pow(3, 200, 1000007), pow(2, 10, 10000))
local function hanoi(n, a, b, c) if n == 0 then return 0 end return hanoi(n - 1, a, c, b) + 1 + hanoi(n - 1, c, b, a) end print(hanoi(8, "a", "b", "c"))
