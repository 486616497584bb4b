// BPF helper functions by number (include/uapi/linux/bpf.h, ___BPF_FUNC_MAPPER).
#pragma once

namespace awl::codegen {

enum class Helper : int {
  kMapLookup = 1, kMapUpdate = 2, kMapDelete = 3, kKtimeGetNs = 5, kTracePrintk = 6, kGetPrandomU32 = 7,
  kGetSmpProcessorId = 8, kSkbLoadBytes = 26, kSockOpsCbFlagsSet = 59, kXdpLoadBytes = 189, kTailCall = 12, kGetCurrentPidTgid = 14, kGetCurrentUidGid = 15,
  kGetCurrentComm = 16, kGetStackid = 27, kGetCurrentTask = 35, kProbeWriteUser = 36,
  kGetNumaNodeId = 42, kGetSocketCookie = 46, kOverrideReturn = 58, kGetStack = 67,
  kGetCurrentCgroupId = 80, kSendSignal = 109, kSkbOutput = 111, kProbeReadUser = 112,
  kProbeReadKernel = 113, kProbeReadUserStr = 114, kProbeReadKernelStr = 115,
  kSendSignalThread = 117, kJiffies64 = 118, kGetNsCurrentPidTgid = 120, kKtimeGetBootNs = 125, kSeqPrintf = 126,
  kRingbufOutput = 130, kRingbufReserve = 131, kRingbufSubmit = 132, kRingbufDiscard = 133,
  kRingbufQuery = 134, kDPath = 147, kPerCpuPtr = 153, kThisCpuPtr = 154, kGetCurrentTaskBtf = 158, kForEachMapElem = 164,
  kGetFuncIp = 173, kGetAttachCookie = 174, kTaskPtRegs = 175, kLoop = 181, kMapLookupPercpu = 195,
  kRingbufReserveDynptr = 198, kRingbufSubmitDynptr = 199, kDynptrWrite = 202, kKtimeGetTaiNs = 208,
};

}  // namespace awl::codegen
