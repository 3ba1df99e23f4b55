program decay
    implicit none
    real(8) :: half, amount
    integer :: step, steps
    open (unit=10, file="decay.in", status="old", action="read")
    read (10, *) amount, half, steps
    close (10)
    do step = 0, steps
        write (*, '(I3, F10.3)') step, amount * 0.5d0 ** (step / half)
    end do
end program decay
