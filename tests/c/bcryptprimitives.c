/* What Wine 8 lacks of Windows: the one function of bcryptprimitives.dll, which programs of Rust
 * ask for the seeds of their hash maps. tests/windows builds it. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *to, SIZE_T bytes)
{
    return RtlGenRandom(to, (ULONG)bytes);
}
