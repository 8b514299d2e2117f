// SPDX-License-Identifier: GPL-2.0-or-later
//! A driver of edu with rust-vmm's vfio-ioctls, as cloud-hypervisor opens its devices.
//!
//!     edu_rs iommufd|container BDF
//!
//! Prints what the device answers: its register, bytes moved by DMA, an interrupt.
use std::path::PathBuf;
use std::sync::Arc;

use iommufd_ioctls::IommuFd;
use vfio_ioctls::{VfioContainer, VfioDevice, VfioIommufd, VfioOps};
use vmm_sys_util::eventfd::EventFd;

// QEMU's docs/specs/edu.rst
const IDENTITY: u64 = 0x00;
const IRQ_RAISE: u64 = 0x60;
const IRQ_LOWER: u64 = 0x64;
const DMA_SOURCE: u64 = 0x80;
const DMA_TARGET: u64 = 0x88;
const DMA_COUNT: u64 = 0x90;
const DMA_COMMAND: u64 = 0x98;
const BUFFER: u64 = 0x40000;

const CONFIG: u32 = 7;
const MSI: u32 = 1;
const IOVA: u64 = 0x100000;
const BYTES: usize = 4096;

fn write(device: &VfioDevice, at: u64, value: u64, size: usize) {
    device.region_write(0, &value.to_le_bytes()[..size], at);
}

fn dma(device: &VfioDevice, from: u64, to: u64, command: u64) {
    write(device, DMA_SOURCE, from, 8);
    write(device, DMA_TARGET, to, 8);
    write(device, DMA_COUNT, 100, 8);
    write(device, DMA_COMMAND, command, 8);
    let mut busy = [1u8; 8];
    while busy[0] & 1 == 1 {
        device.region_read(0, &mut busy, DMA_COMMAND);
    }
}

fn drive(device: &VfioDevice, ops: &dyn VfioOps) {
    let mut word = [0u8; 4];

    device.region_write(CONFIG, &6u16.to_le_bytes(), 4);
    device.region_read(0, &mut word, IDENTITY);
    println!("register {:x}", u32::from_le_bytes(word));

    // SAFETY: new memory of our own, which stays until the unmap.
    let memory = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(std::ptr::null_mut(), BYTES, prot, flags, -1, 0) as *mut u8
    };
    unsafe {
        for i in 0..100 {
            memory.add(i).write_volatile(i as u8 ^ 0x5a);
        }
        ops.vfio_dma_map(IOVA, BYTES, memory).expect("map");
    }
    dma(device, IOVA, BUFFER, 1);
    dma(device, BUFFER, IOVA + 2048, 3);
    let same = (0..100).filter(|&i| unsafe {
        memory.add(2048 + i).read_volatile() == memory.add(i).read_volatile()
    });
    println!("dma {} bytes", same.count());

    let event = EventFd::new(libc::EFD_NONBLOCK).expect("eventfd");
    device.enable_irq(MSI, vec![&event]).expect("MSI");
    write(device, IRQ_RAISE, 1, 4);
    println!("interrupts {}", event.read().unwrap_or(0));
    write(device, IRQ_LOWER, 1, 4);
    device.disable_irq(MSI).expect("MSI off");
    ops.vfio_dma_unmap(IOVA, BYTES).expect("unmap");
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let path = PathBuf::from(format!("/sys/bus/pci/devices/{}", arguments[2]));
    let ops: Arc<dyn VfioOps> = if arguments[1] == "iommufd" {
        let iommufd = Arc::new(IommuFd::new().expect("/dev/iommu"));
        Arc::new(VfioIommufd::new(iommufd, None, None).expect("iommufd"))
    } else {
        Arc::new(VfioContainer::new(None).expect("container"))
    };
    let device = VfioDevice::new(&path, ops.clone()).expect("device");
    drive(&device, &*ops);
}
